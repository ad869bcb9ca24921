"""Finding people, and the data about them that other parts share."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, cast
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connections, router, transaction
from django.db.models import Field, OuterRef, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from auth_core.assurance.levels import Demand, strictest_demand_of
from auth_core.assurance.methods import Method
from auth_core.conf import core
from auth_core.memo import Memo
from auth_core.models import EmailAddress, Identity
from auth_core.people.address_rows import is_current, rows_of
from auth_core.people.addresses import InvalidAddress, parse
from auth_core.people.identifiers import is_sole_holder, matches_of, sole_match, users_named_by
from auth_core.people.user_columns import address_text_in, addresses_in
from auth_core.registries import Occasion, PersonRead, person_reads, person_watchers, snapshot_parts, ways_in
from auth_core.users import AccountLike, UserLike

#: The snapshot part with the primary address.
EMAIL_PART = "auth_core.email"

#: The snapshot part in which a second-factor package lists a person's factors. Without it there are none.
SECOND_FACTORS_PART = "second_factors"

#: On a user: the `email_part` of a primary address that was read with the user.
_PRIMARY: Memo[dict[str, Any]] = Memo("auth_core.primary_address")

#: On a user: the parts of the snapshot that the user was restored from.
_PARTS: Memo[Mapping[str, Any]] = Memo("auth_core.snapshot_parts")


def find_by_identifier(identifier: str) -> Any:
    """Return the person who signs in with *identifier*, or ``None``. One query.

    Several accounts with one unverified address are no one's (see `identifiers`).
    """
    match = sole_match(matches_of(identifier))
    if match is None:
        return None
    if match.row is not None and match.row.is_primary:
        remember_primary_address(match.user, match.row.address, match.row.verified_at)
    return match.user


def matching_users(identifier: str) -> "QuerySet[Any]":
    """Return a queryset with the result of `find_by_identifier`, for use inside another query."""
    return users_named_by(identifier)


def public_id_if_loaded(user: UserLike) -> str:
    """Return the public id of *user* if it is loaded, else an empty string. For logs, which make no query."""
    identity = getattr(getattr(user, "_state", None), "fields_cache", {}).get("auth_identity")
    return "" if identity is None else str(identity.subject_id)


def find_by_subject_id(subject_id: UUID) -> Any:
    """Return the person with the public id *subject_id*, or ``None``."""
    identity = Identity.objects.filter(subject_id=subject_id).select_related("user").first()
    return None if identity is None else identity.user


def identity_of(user: UserLike) -> Identity:
    """Return the identity of *user*. It is created on first use. Two concurrent calls create one."""
    identity: Identity | None = getattr(user, "auth_identity", None)
    if identity is None:
        identity, _created = Identity.objects.get_or_create(user=cast("Any", user))
        cast("Any", user).auth_identity = identity
    return identity


def part_of(user: UserLike, name: str, default: object = None) -> Any:
    """Return a snapshot part of *user*, from their snapshot or else from the function that is registered for it."""
    snapshot = _PARTS.of(user)
    if snapshot is not None:
        return snapshot.get(name, default)
    make = snapshot_parts.get(name)
    return default if make is None else make(user)


def with_person_reads(rows: "QuerySet[Any]") -> Any:
    """Annotate *rows*, each of which has a ``user``, with what packages read about that user, for `parts_beside`.

    On other databases than PostgreSQL, and in another database, each package reads by itself.
    """
    connection = connections[rows.db]
    if connection.vendor != "postgresql":
        return rows
    field, quote = rows.model._meta.get_field("user"), connection.ops.quote_name
    user = f"{quote(rows.model._meta.db_table)}.{quote(field.column)}"
    columns = {
        _column_of(name): RawSQL(f"CAST(({read.sql(user)}) AS text)", (), output_field=Field())  # noqa: S611 - the packages write it
        for name, read in _reads_with_a_session()
        if all(router.db_for_read(model) == rows.db for model in read.models())
    }
    return rows.annotate(**columns)


def parts_beside(row: Any) -> dict[str, Any]:
    """Return every registered snapshot part of the user of *row*, for a new snapshot. See `with_person_reads`."""
    for name, read in _reads_with_a_session():
        if hasattr(row, _column_of(name)):
            keep_read(read, row.user, getattr(row, _column_of(name)))
    return {name: make(row.user) for name, make in snapshot_parts.items()}


def keep_read(read: PersonRead, user: UserLike, text: str | None) -> None:
    """Let a package keep on *user* what it read, which is JSON as text or ``None``."""
    read.keep(user, None if text is None else json.loads(text))


def _reads_with_a_session() -> list[tuple[str, PersonRead]]:
    return [(name, read) for name, read in person_reads.items() if Occasion.SESSION in read.occasions]


def _column_of(read: str) -> str:
    return f"read_{read.replace('.', '_')}"


def carry_parts(user: UserLike, parts: Mapping[str, Any]) -> None:
    """Make `part_of` read from *parts*, the snapshot that *user* was restored from."""
    _PARTS.keep(user, parts)


def carried_parts(user: UserLike) -> Mapping[str, Any]:
    """Return the parts that `carry_parts` put on *user*, for a new snapshot.

    Raises:
        LookupError: there are none. A snapshot without parts would hide the second factors.
    """
    parts = _PARTS.of(user)
    if parts is None:
        raise LookupError("This user carries no snapshot parts.")
    return parts


def email_part(user: UserLike) -> dict[str, Any]:
    """Return the address of *user* and whether it is verified: the primary one, else that of the user model."""
    cached = _PRIMARY.of(user)
    if cached is not None:
        return cached
    rows, column = rows_of(user), next(iter(addresses_in(user)), None)
    row = next((row for row in rows if row.is_primary or (column is not None and row.key == column.key)), None)
    if row is not None:
        return {"address": row.address, "verified": row.verified_at is not None}
    if column is None:
        return {"address": address_text_in(user), "verified": False}
    # The site vouches for the columns, but not for one that several accounts share.
    return {"address": column.mailbox, "verified": core.TRUST_EXISTING_EMAILS and is_sole_holder(user, column)}


def with_primary_address(rows: "QuerySet[Any]") -> Any:
    """Annotate *rows*, each of which has a ``user``, with the primary address for `remember_primary_address`."""
    primary = EmailAddress.objects.filter(user=OuterRef("user_id"), is_primary=True)
    return rows.annotate(
        primary_address=Subquery(primary.values("address")[:1]),
        primary_verified_at=Subquery(primary.values("verified_at")[:1]),
    )


def remember_primary_address(user: UserLike | None, address: str | None, verified_at: datetime | None) -> None:
    """Cache the primary address on *user*, which saves `email_part` its query within this request.

    An address that differs from the column of the user is not cached, because it may have been copied from it.
    """
    if user is not None and address and is_current(_key_of(address), user):
        _PRIMARY.keep(user, {"address": address, "verified": verified_at is not None})


def profile_of(user: UserLike) -> dict[str, Any]:
    """Return a person's own profile: the ``me`` shape of DESIGN section 6, without ``acr``."""
    email = part_of(user, EMAIL_PART, {"address": "", "verified": False})
    return {
        "id": str(identity_of(user).subject_id),
        "email": email["address"],
        "email_verified": email["verified"],
        "username": getattr(user, "username", None) or None,
        "display_name": getattr(user, "display_name", "") or getattr(user, "get_full_name", str)(),
        "locale": getattr(user, "locale", ""),
        "timezone": getattr(user, "timezone", ""),
        "created_at": getattr(user, "created_at", None) or getattr(user, "date_joined", None),
        "second_factors": part_of(user, SECOND_FACTORS_PART, []),
    }


def has_second_factors(user: UserLike) -> bool:
    """Return whether *user* has a second factor, according to the package that registered them."""
    return bool(part_of(user, SECOND_FACTORS_PART, []))


def strongest_demand_for(user: UserLike) -> Demand:
    """Return the strictest demand that the second factors of *user* can meet."""
    return strictest_demand_of(second_factor_methods_of(user))


def second_factor_methods_of(user: UserLike) -> set[Method]:
    """Return the methods of the second factors of *user*, as far as a package reports them."""
    return {Method(factor["method"]) for factor in part_of(user, SECOND_FACTORS_PART, [])}


def can_sign_in_without(user: AccountLike, way: UUID) -> bool:
    """Return whether *user* can sign in without *way*. Call this inside the transaction that removes it.

    The row of the person is locked. Two removals at once would otherwise each see the credential of the other, and leave
    none.

    Args:
        way: Public id of a credential that signs in by itself.
    """
    if user.has_usable_password():
        return True
    get_user_model()._default_manager.select_for_update(no_key=True).filter(pk=user.pk).first()
    return any(other != way for ways in ways_in.values() for other in ways(user))


def person_changed(user_pk: object) -> None:
    """Notify the caches of this person after the commit and before the response."""
    for watcher in person_watchers.values():
        transaction.on_commit(partial(watcher, user_pk))


def _key_of(address: str) -> str:
    try:
        return parse(address).key
    except InvalidAddress:
        return ""
