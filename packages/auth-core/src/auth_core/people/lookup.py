"""Finding people, and the data about them that other parts share."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, cast
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from auth_core.assurance.levels import Demand, strictest_demand_of
from auth_core.assurance.methods import Method
from auth_core.memo import Memo
from auth_core.models import EmailAddress, Identity
from auth_core.people.addresses import InvalidAddress, parse
from auth_core.registries import person_watchers, snapshot_parts
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
    """Return the person who signs in with *identifier*, or ``None``. One query for a stored address.

    An address belongs to the person who verified it or signs in with it. Any other identifier is a username of the user
    model.
    """
    try:
        key = parse(identifier).key
    except InvalidAddress:
        return _find_by_username(identifier)
    row = _owned_address(key)
    return _find_without_address(identifier) if row is None else row.user


def find_by_key(key: str) -> tuple[Any, str]:
    """Return the person who signs in with the address of *key*, and the stored address for their mail.

    Mail never goes to the typed address (decision record 0027). The address is empty if no row has it: for an unknown
    key, and for a username that only looks like an address.
    """
    row = _owned_address(key)
    return (_find_without_address(key), "") if row is None else (row.user, row.address)


def matching_users(identifier: str) -> "QuerySet[Any]":
    """Return a queryset with the result of `find_by_identifier`, for use inside another query."""
    users = get_user_model()._default_manager
    by_name = Q(**{get_user_model().USERNAME_FIELD: identifier})
    try:
        key = parse(identifier).key
    except InvalidAddress:
        return users.filter(by_name)
    owners = EmailAddress.objects.filter(Q(verified_at__isnull=False) | Q(is_primary=True), key=key)
    by_address = Q(pk__in=owners.values("user_id"))
    return users.filter(by_address if _signs_in_by_email() else by_address | (by_name & ~Exists(owners)))


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


def all_parts_of(user: UserLike) -> dict[str, Any]:
    """Compute every registered snapshot part of *user*, for a new snapshot."""
    return {name: make(user) for name, make in snapshot_parts.items()}


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
    """Return the primary address of *user* and whether it is verified. Falls back to the user model's own address."""
    cached = _PRIMARY.of(user)
    if cached is not None:
        return cached
    primary = EmailAddress.objects.filter(user=user.pk, is_primary=True).first()
    if primary is not None:
        return {"address": primary.address, "verified": primary.verified_at is not None}
    return {"address": getattr(user, cast("AccountLike", user).get_email_field_name(), ""), "verified": False}


def with_primary_address(rows: "QuerySet[Any]") -> Any:
    """Annotate *rows*, each of which has a ``user``, with the primary address for `remember_primary_address`."""
    primary = EmailAddress.objects.filter(user=OuterRef("user_id"), is_primary=True)
    return rows.annotate(
        primary_address=Subquery(primary.values("address")[:1]),
        primary_verified_at=Subquery(primary.values("verified_at")[:1]),
    )


def remember_primary_address(user: UserLike | None, address: str | None, verified_at: datetime | None) -> None:
    """Cache the primary address on *user*, which saves `email_part` its query within this request."""
    if user is not None and address:
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


def person_changed(user_pk: object) -> None:
    """Notify the caches of this person after the commit and before the response."""
    for watcher in person_watchers.values():
        transaction.on_commit(partial(watcher, user_pk))


def _owned_address(key: str) -> EmailAddress | None:
    """Return the address row of *key* that is verified or primary, with its user."""
    row: EmailAddress | None = (
        EmailAddress.objects.filter(Q(verified_at__isnull=False) | Q(is_primary=True), key=key)
        .select_related("user", "user__auth_identity")
        .first()
    )
    if row is not None and row.is_primary:
        remember_primary_address(row.user, row.address, row.verified_at)
    return row


def _find_without_address(identifier: str) -> Any:
    return None if _signs_in_by_email() else _find_by_username(identifier)


def _find_by_username(identifier: str) -> Any:
    model = get_user_model()
    return model._default_manager.select_related("auth_identity").filter(**{model.USERNAME_FIELD: identifier}).first()


def _signs_in_by_email() -> bool:
    model = get_user_model()
    return model.get_email_field_name() == model.USERNAME_FIELD
