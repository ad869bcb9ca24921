"""Adoption: an `Identity` and an `EmailAddress` for everyone who was there before this package.

No one needs to be adopted to sign in: both rows are made when they are first needed. Adoption makes them for all, finds
the addresses that cannot sign in, and marks addresses as verified if the site vouches for them.

It reads the users in batches, in the order of the primary key, and changes only what differs. It can therefore be stopped
and run again at any time, and beside a service in use.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, OperationalError, router, transaction
from django.db.models import F, Q, QuerySet

from auth_core.models import EmailAddress, Identity
from auth_core.people.address_rows import adoption_time, counts, demote_rows
from auth_core.people.addresses import Address, InvalidAddress, parse
from auth_core.people.column_index import AsciiLower, indexed_fields
from auth_core.people.identifiers import spellings_of
from auth_core.people.user_columns import address_fields

#: How often a batch is read again after a user of it was deleted, or after a deadlock.
_MAX_TRIES = 5


class Problem(StrEnum):
    """Why an address was not adopted."""

    INVALID = "invalid address"
    SHARED = "address of several accounts"
    TAKEN = "address of another account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress after a batch.

    Args:
        done: Users that were read.
        identities: Identities that were made. In a dry run, those that would be.
        addresses: Addresses that were adopted, or changed because the column has changed.
        without_address: Users without an address in a column.
        problems: The number of addresses that were not adopted, by reason.
        named: The primary keys of the users with such an address in this batch, with the reason.
        last: The primary key of the last user that was read.
    """

    done: int = 0
    identities: int = 0
    addresses: int = 0
    without_address: int = 0
    problems: Mapping[Problem, int] = frozenset()  # type: ignore[assignment]  # an empty mapping that cannot change
    named: Sequence[tuple[Any, Problem]] = ()
    last: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    """A user of a batch: the key, whether there is an identity, and the text of the first address column that has one."""

    pk: Any
    has_identity: bool
    text: str


@dataclass(slots=True)
class _Plan:
    """What a batch changes."""

    identities: list[Identity]
    new_rows: list[EmailAddress]
    changed_rows: list[EmailAddress]
    stale_rows: list[EmailAddress]
    without_address: int
    problems: dict[Any, Problem]


def people() -> "QuerySet[Any]":
    """Return all users, in the database that is written to. A replica may be behind."""
    model = get_user_model()
    users: QuerySet[Any] = model._default_manager.using(router.db_for_write(model)).order_by("pk")
    return users


def adopt(*, batch_size: int, after: object = None, dry_run: bool = False) -> Iterator[Progress]:
    """Adopt all users, and yield the progress after each batch.

    Args:
        batch_size: Users per batch. Each batch is read and written by a handful of statements.
        after: Begin after this primary key.
        dry_run: Write nothing.
    """
    progress = Progress(last=after, problems={})
    while batch := _adopt_batch(progress.last, batch_size, dry_run=dry_run):
        plan, read, last = batch
        progress = replace(
            progress,
            done=progress.done + read,
            identities=progress.identities + len(plan.identities),
            addresses=progress.addresses + len(plan.new_rows) + len(plan.changed_rows),
            without_address=progress.without_address + plan.without_address,
            problems=Counter(progress.problems) + Counter(plan.problems.values()),
            named=list(plan.problems.items()),
            last=last,
        )
        yield progress


def _adopt_batch(last: object, size: int, *, dry_run: bool) -> tuple[_Plan, int, Any] | None:
    """Adopt the users after the key *last*. A batch whose user was deleted in between is read again."""
    for tries_left in reversed(range(_MAX_TRIES)):
        batch = _read(last, size)
        if not batch:
            return None
        plan = _plan(batch)
        try:
            if not dry_run:
                _write(plan)
        except (IntegrityError, OperationalError):
            if not tries_left:
                raise
        else:
            return plan, len(batch), batch[-1].pk
    return None


def _read(last: object, size: int) -> list[_Person]:
    rest = people() if last is None else people().filter(pk__gt=last)
    columns = [field.attname for field in address_fields()]
    rows = rest.values_list("pk", "auth_identity__pk", *columns)[:size]
    return [
        _Person(pk=pk, has_identity=identity is not None, text=next((text for text in texts if text), ""))
        for pk, identity, *texts in rows
    ]


def _plan(batch: Sequence[_Person]) -> _Plan:
    parsed, problems = _parsed(batch)
    own: dict[Any, list[EmailAddress]] = defaultdict(list)
    for row in _rows().filter(user__in=[person.pk for person in batch]):
        own[row.user_id].append(row)
    changing = {pk: address for pk, address in parsed.items() if not _is_settled(own[pk], address)}
    holders, claiming = _holders_of(changing), _claiming_rows(changing)
    owners = {row.key: row.user_id for row in claiming if counts(row, row.user)}
    for pk, address in changing.items():
        if owners.get(address.key, pk) != pk:
            problems[pk] = Problem.TAKEN
        elif holders[address.key] - {pk}:
            problems[pk] = Problem.SHARED
    adopted = {pk: address for pk, address in changing.items() if pk not in problems}
    rows = [_adopted_row(pk, address, own[pk]) for pk, address in adopted.items()]
    return _Plan(
        identities=[Identity(user_id=person.pk) for person in batch if not person.has_identity],
        new_rows=[row for row in rows if row._state.adding],
        changed_rows=[row for row in rows if not row._state.adding],
        stale_rows=[row for row in claiming if row.key not in owners and row.user_id not in adopted],
        without_address=sum(not person.text for person in batch),
        problems=problems,
    )


def _parsed(batch: Sequence[_Person]) -> tuple[dict[Any, Address], dict[Any, Problem]]:
    addresses: dict[Any, Address] = {}
    problems: dict[Any, Problem] = {}
    for person in batch:
        if person.text:
            try:
                addresses[person.pk] = parse(person.text)
            except InvalidAddress:
                problems[person.pk] = Problem.INVALID
    return addresses, problems


def _is_settled(rows: Sequence[EmailAddress], address: Address) -> bool:
    """Return whether the rows of a user say what the column and the setting say."""
    row = next((row for row in rows if row.key == address.key), None)
    if row is None:
        # The primary address was verified through this package. Another column does not replace it.
        return any(row.is_primary and row.is_proved for row in rows)
    return not row.is_adopted or (row.verified_at is None) == (adoption_time() is None)


def _adopted_row(pk: Any, address: Address, own: Sequence[EmailAddress]) -> EmailAddress:
    """Return the row with *address*: the one that has it, else the primary one that was copied before, else a new one."""
    row = next((row for row in own if row.key == address.key), None) or next(
        (row for row in own if row.is_primary), EmailAddress(user_id=pk, is_primary=True, is_adopted=True)
    )
    row.address, row.key, row.is_adopted, row.verified_at = address.mailbox, address.key, True, adoption_time()
    return row


def _claiming_rows(wanted: Mapping[Any, Address]) -> list[EmailAddress]:
    """Return the rows that own the addresses. No other row can own them beside these."""
    claiming = _rows().filter(Q(verified_at__isnull=False) | Q(is_primary=True)).select_related("user")
    return list(claiming.filter(key__in=[address.key for address in wanted.values()]))


def _holders_of(wanted: Mapping[Any, Address]) -> Mapping[str, AbstractSet[Any]]:
    """Return the users that have the addresses in a column, by key. The index of the column serves the query."""
    holders: dict[str, set[Any]] = defaultdict(set)
    for pk, address in wanted.items():
        holders[address.key].add(pk)
    spellings = [spelling for address in wanted.values() for spelling in spellings_of(address)]
    for field in indexed_fields():
        same = people().alias(auth_core_lower=AsciiLower(F(field.name))).filter(auth_core_lower__in=spellings)
        for pk, text in same.order_by().values_list("pk", field.name):
            # Parsed again: the database may find a spelling of another mailbox.
            for key in [text.lower()] if text.lower() in holders else _keys_of(text):
                holders[key].add(pk)
    return holders


def _keys_of(text: str) -> list[str]:
    try:
        return [parse(text).key]
    except InvalidAddress:
        return []


def _rows() -> "QuerySet[EmailAddress]":
    return EmailAddress.objects.using(router.db_for_write(EmailAddress))


def _write(plan: _Plan) -> None:
    """Write a batch. Each statement is committed at once, so that no login waits for more than one of them.

    A row that a login has inserted in between is left as it is. An address that another account has taken in between
    stays with it.
    """
    demote_rows(plan.stale_rows)
    Identity.objects.bulk_create(plan.identities, ignore_conflicts=True)
    EmailAddress.objects.bulk_create(plan.new_rows, ignore_conflicts=True)
    for row in plan.changed_rows:
        columns = {"address": row.address, "key": row.key, "verified_at": row.verified_at, "is_adopted": True}
        unchanged = _rows().filter(pk=row.pk).exclude(verified_at__isnull=False, is_adopted=False)
        try:
            with transaction.atomic(using=unchanged.db):
                unchanged.update(**columns)
        except IntegrityError:
            plan.problems[row.user_id] = Problem.TAKEN
