"""Limits on guesses. The database charges a budget before a guess is checked.

Redis only remembers refusals, so that a flood of requests costs no query. Redis never
permits a guess: a lost, flushed, full or new cache does not open a budget (decision
record 0002).
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, router, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from auth_core import remembered_refusals
from auth_core.conf import core
from auth_core.errors import TooManyAttempts
from auth_core.events import AuthEvent, Event, EventOutcome, record
from auth_core.memo import Memo
from auth_core.models.guess_budget import ChargedRow, ChargeRequest, GuessBudget
from auth_core.people.addresses import MAX_LENGTH, InvalidAddress, parse
from auth_core.people.lookup import matching_users
from auth_core.registries import known_devices
from auth_core.request.client import Client
from auth_core.runtime.batches import delete_in_batches
from auth_core.users import UserLike

#: On a user: the counts that the refund of the right guess has read, by the keys of their rows.
_COUNTS: Memo[Mapping[str, int]] = Memo("auth_core.guess_counts")

#: Prefix of the names of budgets that are charged instead of the others if the device is known.
_DEVICE = "device"

#: Suffix of the names of budgets that also count right guesses, to bound what those cause.
_TOTAL = "_total"

#: Suffix of the names of budgets that count per network.
_BY_NETWORK = "_network"

#: Budgets that are charged whether or not the device is known. Strangers cannot use them up, because the budgets of
#: strangers are smaller.
_SHARED = frozenset({"network_total", "wide_network_total"})


class _ChargeInForce:
    """Tells whether the transaction that made a charge is still in force.

    A rolled-back charge must not be refunded: the refund would lower another caller's count.
    """

    def __init__(self) -> None:
        self._committed = False
        transaction.on_commit(self._commit)

    def __call__(self) -> bool:
        waiting = transaction.get_connection().run_on_commit
        return self._committed or any(hook == self._commit for _savepoints, hook, _robust in waiting)

    def _commit(self) -> None:
        self._committed = True


@dataclass(slots=True)
class Charge:
    """A paid guess. `refund` returns this guess and no other."""

    charged: Sequence[ChargedRow]
    _totals: frozenset[str] = field(repr=False)
    _refusal_keys: Sequence[str] = field(repr=False)
    _beside: str = field(repr=False)
    _counts: Mapping[str, int] = field(repr=False)
    _is_in_force: Callable[[], bool] = field(repr=False)
    _refunded: bool = field(default=False, repr=False)

    def refund(self, *, user: UserLike | None = None) -> None:
        """Refund the guess, once, because it was right. Failures of others stay counted, and so do the totals.

        A charge that was rolled back with its transaction is not refunded. The refund would return another caller's
        guess.

        Args:
            user: The user named by the guess. `take_spent` then needs no query for this instance, once.
        """
        counts = self._refund_rows([row for row in self.charged if row.key not in self._totals])
        if user is not None and counts is not None:
            _COUNTS.keep(user, counts)

    def keep_counts(self, *, user: UserLike) -> None:
        """Keep the counts that the charge has read, without this guess, on *user*.

        `take_spent` then needs no query for this instance, once. Use it where the risk is assessed before the refund,
        which belongs to the transaction of the grant.
        """
        _COUNTS.keep(user, self._counts)

    def cancel(self) -> None:
        """Refund every budget, once, including the totals. The guess was not checked, so it costs nothing."""
        self._refund_rows(self.charged)

    def _refund_rows(self, charged: Sequence[ChargedRow]) -> Mapping[str, int] | None:
        if self._refunded or not self._is_in_force():
            return None
        self._refunded = True
        counts = GuessBudget.objects.refund(charged, beside=self._beside, now=timezone.now()) if charged else {}
        # After the commit: until then the database still refuses.
        transaction.on_commit(partial(remembered_refusals.forget, [*(row.key for row in charged), *self._refusal_keys]))
        return counts


class _BudgetSpent(Exception):
    """Rolls back the charges of the other budgets: either all are charged or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChargePlan:
    """The budgets that one guess is charged to: row keys, each with the name of its budget.

    Args:
        use: The purpose of the guess, a key of `BUDGETS`.
        keys: Charged unless the device is known.
        devices: Prefixes of keys. Charged instead of *keys* if the device is known.
        shared: Charged in either case.
        known_device: Query for the known device. ``None`` if the client brings nothing to look for.
        refusal_key: Cache key under which a refusal of this device is remembered.
    """

    use: str
    keys: Mapping[str, str]
    devices: Mapping[str, str]
    shared: Mapping[str, str]
    known_device: "QuerySet[Any] | None"
    refusal_key: str = ""

    def charge(self, now: datetime) -> Sequence[ChargedRow]:
        """Charge every budget that has a guess left. Call this inside a transaction."""
        if self.known_device is None:
            return GuessBudget.objects.charge(self._charges_for({**self.keys, **self.shared}, now), now=now)
        return GuessBudget.objects.charge_as_known(
            device=self.known_device,
            strangers=self._charges_for(self.keys, now),
            devices=self._charges_for(self.devices, now),
            everybody=self._charges_for(self.shared, now),
            beside=self.strangers_key,
            now=now,
        )

    @property
    def strangers_key(self) -> str:
        """The key of the budget that counts the guesses of strangers at the identifier. Empty if there is none."""
        return next((key for key, name in self.keys.items() if name == "identifier"), "")

    def is_paid_by(self, charged: Sequence[ChargedRow]) -> bool:
        """Return whether every budget of the matching case was charged. The keys show whether the device was known."""
        keys = {row.key for row in charged}
        if self.known_device is None or keys & set(self.keys):
            return keys == {*self.keys, *self.shared}
        return len(keys) == len(self.devices) + len(self.shared)

    def budget_of(self, key: str) -> str:
        """Return the name of the budget that *key* counts."""
        named = {**self.keys, **self.shared}
        return named[key] if key in named else self.devices[key[: key.rindex(".") + 1]]

    def possible_keys(self) -> list[str]:
        """Return the keys that the guess was to be charged to.

        Called after a refusal only, because it costs a query if the device may be known.
        """
        device = None if self.known_device is None else self.known_device.values_list("pk", flat=True).first()
        if device is None:
            return [*self.keys, *self.shared]
        return [*(f"{begin}{_as_stored(device)}" for begin in self.devices), *self.shared]

    def refusal_keys(self) -> list[str]:
        """Return the cache keys of the refusals that apply.

        A refusal of strangers does not apply to a device that may be known.
        """
        return [*self.keys, *self.shared] if self.known_device is None else [self.refusal_key, *self.shared]

    def _charges_for(self, keys: Mapping[str, str], now: datetime) -> list[ChargeRequest]:
        budgets = core.budgets[self.use]
        return [ChargeRequest(key, budgets[budget][0], now + budgets[budget][1]) for key, budget in keys.items()]


def charge(
    use: str, *, client: Client, identifier: str = "", person: str = "", known_to: object = None, **counted: str
) -> Charge:
    """Pay for one guess, from every budget that `BUDGETS` has for *use*.

    The charge is committed at once, so that a guess costs one attempt even if the request fails. If *use* has
    device budgets and the person has logged in with this browser before, the device budgets are charged instead
    of those of strangers. Strangers who use up their budgets therefore do not lock people out of their own browser.

    Args:
        use: The purpose of the guess, such as ``login`` or ``answer``.
        client: The caller. Their network is counted.
        identifier: The identifier as typed. All spellings of one address count as one.
        person: Key of the person, counted over all their pending logins.
        known_to: Primary key of the person whose devices count. Defaults to the person that *identifier* names.
        counted: Other values that *use* counts, by their names in `BUDGETS`. An empty value is not counted.

    Raises:
        TooManyAttempts: a budget is used up. Nothing was charged.
        ValueError: no value that *use* counts is known, so the guess would be free. Or `BUDGETS` counts a value
            for *use* that the caller does not pass, so that budget would never be used up.
    """
    plan = _plan_charge(use, client, known_to, {**counted, "identifier": _folded(identifier), "person": person})
    return _charge_of(plan, _charge_or_refuse(plan, client, durable=True), lambda: True)


def charge_within(
    use: str, *, client: Client, identifier: str = "", person: str = "", known_to: object = None, **counted: str
) -> Charge:
    """Pay like `charge`, inside the open transaction: committed and rolled back with it.

    Use this for what costs only when it happens, such as a text message that is posted. Do not use it for a
    guess: a caller who makes the transaction fail would guess for free. A refusal is recorded in the same
    transaction. To keep the record, catch the refusal inside the transaction. The charged rows are locked until
    the transaction ends and block every other caller of the same budget, so nothing slow may follow.

    Raises:
        TooManyAttempts: a budget is used up. Nothing was charged, and the transaction is still usable.
        ValueError: as in `charge`.
    """
    plan = _plan_charge(use, client, known_to, {**counted, "identifier": _folded(identifier), "person": person})
    return _charge_of(plan, _charge_or_refuse(plan, client, durable=False), _ChargeInForce())


def _charge_of(plan: _ChargePlan, charged: Sequence[ChargedRow], is_in_force: Callable[[], bool]) -> Charge:
    totals = frozenset(row.key for row in charged if plan.budget_of(row.key).endswith(_TOTAL))
    is_known = not {row.key for row in charged} & set(plan.keys)
    refusal_keys = [plan.refusal_key] if plan.refusal_key else []
    beside = plan.strangers_key if is_known else ""
    # Like the counts of a refund: without this guess, and with those of strangers if the device is known.
    counts = {row.key: row.used - 1 for row in charged if row.key not in totals}
    if beside:
        counts[beside] = next((row.used_beside for row in charged if row.used_beside is not None), 0)
    return Charge(charged, totals, refusal_keys, beside, counts, is_in_force)


def _charge_or_refuse(plan: _ChargePlan, client: Client, *, durable: bool) -> Sequence[ChargedRow]:
    """Charge every budget of *plan*, or none.

    Raises:
        TooManyAttempts: a budget is used up. Nothing was charged.
    """
    now = timezone.now()
    if (wait := remembered_refusals.remaining_wait(plan.refusal_keys(), now)) is not None:
        raise TooManyAttempts(retry_after=wait)
    try:
        with transaction.atomic(durable=durable):
            charged = plan.charge(now)
            if not plan.is_paid_by(charged):
                raise _BudgetSpent
    except _BudgetSpent:
        raise TooManyAttempts(retry_after=_record_refusal(plan, client, now, durable=durable)) from None
    return charged


def spent(use: str, *, identifier: str) -> int:
    """Return how many guesses at *identifier* are charged and not refunded in the current window. One query."""
    key = _key(use, "identifier", _folded(identifier))
    used = GuessBudget.objects.filter(pk=key, ends_at__gt=timezone.now()).values_list("used", flat=True).first()
    return used or 0


def take_spent(use: str, *, identifier: str, user: UserLike) -> int:
    """Return the number of `spent`, without a query if the charge or its refund has just read it for *user*.

    A later call in the same request queries the database, because the number may have changed.
    """
    key = _key(use, "identifier", _folded(identifier))
    counts = _COUNTS.take(user) or {}
    if key not in counts:
        return spent(use, identifier=identifier)
    # In a known browser, the failures of that browser count besides those of strangers.
    return counts[key] + sum(count for name, count in counts.items() if name.startswith(f"{use}.{_DEVICE}."))


def delete_expired() -> int:
    """Delete rows whose window is over. The expiry itself is checked when a row is charged.

    The rows are locked. A window that began since the read would lose its guesses otherwise.
    """
    return delete_in_batches(GuessBudget.objects.filter(ends_at__lte=timezone.now()), skip_locked=True)


def _plan_charge(use: str, client: Client, known_to: object, counted: Mapping[str, str]) -> _ChargePlan:
    """Return what one guess is charged to. Unknown values are not counted.

    Raises:
        ValueError: nothing would be counted, or *use* has a budget for a value that the caller does not pass.
            Or the caller passes a network. Only the network of the client is counted.
    """
    if {"network", "wide_network"} & set(counted):
        raise ValueError("The counted network is the client's. Do not pass another.")
    values = {**counted, "network": client.network, "wide_network": client.wide_network}
    named = [name for name in core.budgets[use] if not name.startswith(_DEVICE)]
    if missing := sorted(name for name in named if _value_of(name, values) is None):
        raise ValueError(f"BUDGETS counts {', '.join(missing)} for {use!r}, but the caller did not pass it.")
    keys = {_key(use, name, value): name for name in named if (value := _value_of(name, values))}
    if not keys:
        raise ValueError(f"A guess for {use!r} passes no value that is counted.")
    devices = {f"{use}.{name}.": name for name in core.budgets[use] if name.startswith(_DEVICE)}
    known_device = _known_device(client, values["identifier"], known_to) if devices else None
    shared = {key: name for key, name in keys.items() if name in _SHARED}
    return _ChargePlan(
        use=use,
        keys={key: name for key, name in keys.items() if name not in _SHARED},
        devices=devices,
        shared=shared,
        known_device=known_device,
        refusal_key=""
        if known_device is None
        else _key(use, _DEVICE, f"{values}\n{known_to}\n{client.device_credential}"),
    )


def _value_of(name: str, values: Mapping[str, str]) -> str | None:
    """Return the value that the budget *name* counts, empty if unknown. ``None`` if the caller did not pass it.

    ``…_total`` counts the same value, with right guesses included. ``…_network`` counts it per network.
    """
    counted = name.removesuffix(_TOTAL)
    if counted in values:
        return values[counted]
    value = values.get(counted.removesuffix(_BY_NETWORK))
    return f"{value}\n{values['wide_network'] or values['network']}" if value else value


def _known_device(client: Client, identifier: str, known_to: Any) -> "QuerySet[Any] | None":
    """Return a query for the client's device among those known to the person. ``None`` if it sent no device cookie."""
    if not client.device_credential or not (identifier or known_to):
        return None
    people = matching_users(identifier) if known_to is None else get_user_model()._default_manager.filter(pk=known_to)
    queries = (recognise(client, people) for recognise in known_devices.values())
    return next((query for query in queries if query is not None), None)


def _as_stored(key: object) -> str:
    """Return the primary key as the database casts it to text."""
    return (
        str(key)
        if connections[router.db_for_write(GuessBudget)].vendor == "postgresql"
        else getattr(key, "hex", str(key))
    )


def _key(use: str, budget: str, value: str) -> str:
    """Return an HMAC as the key, because people often type a password into the identifier field."""
    return salted_hmac(f"auth_core.limits.{use}.{budget}", value, algorithm="sha256").hexdigest()


def _folded(identifier: str) -> str:
    """Fold an identifier, so that another case or spelling of it is not a new budget."""
    try:
        return parse(identifier).key
    except InvalidAddress:
        return unicodedata.normalize("NFKC", identifier[:MAX_LENGTH]).casefold()


def _record_refusal(plan: _ChargePlan, client: Client, now: datetime, *, durable: bool) -> timedelta:
    """Record a refusal, once per window. Return the time until the last of the used-up budgets ends."""
    budgets = core.budgets[plan.use]
    rows = GuessBudget.objects.filter(pk__in=plan.possible_keys(), ends_at__gt=now)
    # Compared with the current setting. The row keeps the budget of its last successful charge.
    spent = [row for row in rows if row.used >= budgets[plan.budget_of(row.pk)][0]]
    for row in spent:
        with transaction.atomic(durable=durable):
            if GuessBudget.objects.filter(pk=row.pk, window_id=row.window_id, refused_at=None).update(refused_at=now):
                record(_refusal_event(plan.use, plan.budget_of(row.pk), client))
    # The refund of another request may have come in between. One second is then a safe wait.
    ends_at = max((row.ends_at for row in spent), default=now + timedelta(seconds=1))
    ends = {row.pk: row.ends_at for row in spent} | ({plan.refusal_key: ends_at} if plan.refusal_key else {})
    if durable:
        remembered_refusals.remember(ends, now)
    else:
        # A refusal remembered before a rollback would hide the next refusal, and that one would not be recorded.
        transaction.on_commit(partial(remembered_refusals.remember, ends, now))
    return ends_at - now


def _refusal_event(use: str, budget: str, client: Client) -> Event:
    return Event(
        name=AuthEvent.LIMIT_REFUSED,
        outcome=EventOutcome.DENIED,
        reason="budget",
        client=client,
        data={"use": use, "counted": budget},
    )
