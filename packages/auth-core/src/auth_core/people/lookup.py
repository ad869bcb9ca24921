"""People: finding them, and what may be said of them."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from auth_core.assurance.levels import Demand, can_reach_aal2
from auth_core.assurance.methods import Method
from auth_core.models import EmailAddress, Identity
from auth_core.people.addresses import InvalidAddress, parse
from auth_core.registries import person_watchers, snapshot_parts

#: The snapshot part that carries the primary address.
EMAIL_PART = "auth_core.email"

#: Where an instance of a user keeps the primary address that was read with it.
_PRIMARY = "_auth_core_primary_address"

#: The snapshot part in which a second-factor package lists what a person has; absent: nothing.
SECOND_FACTORS_PART = "second_factors"


def find_by_identifier(identifier: str) -> Any:
    """Return the person who signs in with *identifier*, or ``None``; one query for an address of ours.

    An address names whoever proved it or signs in with it; anything else is the
    user model's own username field.
    """
    try:
        key = parse(identifier).key
    except InvalidAddress:
        return _find_by_username(identifier)
    found = _owned_address(key)
    return _find_without_address(identifier) if found is None else found.user


def find_by_key(key: str) -> tuple[Any, str]:
    """Return the person who signs in with the address of *key*, and the stored address that their mail goes to.

    What was typed is never mailed (decision record 0027). The address is empty where no
    row holds it: for an unknown key, and for a username that only looks like an address.
    """
    found = _owned_address(key)
    return (_find_without_address(key), "") if found is None else (found.user, found.address)


def named_by(identifier: str) -> "QuerySet[Any]":
    """Return a query for whom `find_by_identifier` finds; it asks nothing until it is part of another query."""
    users = get_user_model()._default_manager
    by_name = Q(**{get_user_model().USERNAME_FIELD: identifier})
    try:
        key = parse(identifier).key
    except InvalidAddress:
        return users.filter(by_name)
    owners = EmailAddress.objects.filter(Q(verified_at__isnull=False) | Q(is_primary=True), key=key)
    by_address = Q(pk__in=owners.values("user_id"))
    return users.filter(by_address if _signs_in_by_email() else by_address | (by_name & ~Exists(owners)))


def public_id_if_loaded(user: Any) -> str:
    """Return the public id of *user* if it is known already, else nothing; for logs, which ask no database."""
    identity = getattr(getattr(user, "_state", None), "fields_cache", {}).get("auth_identity")
    return "" if identity is None else str(identity.subject_id)


def find_by_subject_id(subject_id: UUID) -> Any:
    """Return the person whom the world knows by *subject_id*, or ``None``."""
    identity = Identity.objects.filter(subject_id=subject_id).select_related("user").first()
    return None if identity is None else identity.user


def identity_of(user: Any) -> Identity:
    """Return the identity of *user*, made when first asked for; two requests at once make one."""
    identity: Identity | None = getattr(user, "auth_identity", None)
    if identity is None:
        identity, _created = Identity.objects.get_or_create(user=user)
        user.auth_identity = identity
    return identity


def part_of(user: Any, name: str, default: Any = None) -> Any:
    """Return a snapshot part of *user*: from the snapshot they came with, else from whoever registered it."""
    carried: Mapping[str, Any] | None = getattr(user, "auth_snapshot", None)
    if carried is not None:
        return carried.get(name, default)
    make = snapshot_parts.get(name)
    return default if make is None else make(user)


def all_parts_of(user: Any) -> dict[str, Any]:
    """Return every registered snapshot part of *user*, made afresh: what a snapshot carries."""
    return {name: make(user) for name, make in snapshot_parts.items()}


def carry_parts(user: Any, parts: Mapping[str, Any]) -> None:
    """Let *user*, restored from a snapshot, answer `part_of` from what the snapshot carried."""
    user.auth_snapshot = parts


def email_part(user: Any) -> dict[str, Any]:
    """Return the primary address of *user* and whether it is proven; the user model's own as a last resort."""
    remembered: dict[str, Any] | None = getattr(user, _PRIMARY, None)
    if remembered is not None:
        return remembered
    primary = EmailAddress.objects.filter(user=user, is_primary=True).first()
    if primary is not None:
        return {"address": primary.address, "verified": primary.verified_at is not None}
    return {"address": getattr(user, user.get_email_field_name(), ""), "verified": False}


def with_primary_address(rows: "QuerySet[Any]") -> Any:
    """Have *rows*, each of which has a ``user``, bring the primary address along, to be remembered by the reader."""
    primary = EmailAddress.objects.filter(user=OuterRef("user_id"), is_primary=True)
    return rows.annotate(
        primary_address=Subquery(primary.values("address")[:1]),
        primary_verified_at=Subquery(primary.values("verified_at")[:1]),
    )


def remember_primary_address(user: Any, address: str | None, verified_at: datetime | None) -> None:
    """Spare `email_part` its query, for this one instance; the address was read in the same request."""
    if user is not None and address:
        setattr(user, _PRIMARY, {"address": address, "verified": verified_at is not None})


def profile_of(user: Any) -> dict[str, Any]:
    """Return what a person sees of themselves: the ``me`` shape of DESIGN section 6, without ``acr``."""
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


def has_second_factors(user: Any) -> bool:
    """Say whether *user* has a second factor, as far as a package told."""
    return bool(part_of(user, SECOND_FACTORS_PART, []))


def highest_proof_of(user: Any) -> Demand:
    """Return the most that *user* can prove with what they have, as far as a package told."""
    methods = {Method(factor["method"]) for factor in part_of(user, SECOND_FACTORS_PART, [])}
    if can_reach_aal2(methods):
        return Demand.AAL2
    return Demand.SECOND_FACTOR if methods else Demand.NONE


def person_changed(user_pk: Any) -> None:
    """Tell whoever keeps copies of this person, once the change is committed and before it is answered."""
    for watcher in person_watchers.values():
        transaction.on_commit(partial(watcher, user_pk))


def _owned_address(key: str) -> EmailAddress | None:
    """Return the row of *key* whose person proved it or signs in with it, with the person."""
    found: EmailAddress | None = (
        EmailAddress.objects.filter(Q(verified_at__isnull=False) | Q(is_primary=True), key=key)
        .select_related("user", "user__auth_identity")
        .first()
    )
    if found is not None and found.is_primary:
        remember_primary_address(found.user, found.address, found.verified_at)
    return found


def _find_without_address(identifier: str) -> Any:
    return None if _signs_in_by_email() else _find_by_username(identifier)


def _find_by_username(identifier: str) -> Any:
    model = get_user_model()
    return model._default_manager.select_related("auth_identity").filter(**{model.USERNAME_FIELD: identifier}).first()


def _signs_in_by_email() -> bool:
    model = get_user_model()
    return model.get_email_field_name() == model.USERNAME_FIELD
