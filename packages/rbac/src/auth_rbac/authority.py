"""Delegated administration: nobody gives, takes away or changes more than they hold themselves.

Whoever may give roles and nothing else can give roles that say nothing; a denial is said, too:
who does not hold a permission can neither deny it to others nor lift its denial.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import models
from django.db.models import Q
from django.utils import timezone

from auth_core.errors import PermissionRefused
from auth_rbac import decisions
from auth_rbac.models import Assignment, Role, RoleClosure, Wildcard
from auth_rbac.permissions import label_of
from auth_rbac.scopes import scopes_of

#: The end of what has no end.
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def require(actor: Any, permission: str, obj: models.Model | None = None) -> None:
    """Refuse an actor who may not; ``None`` is the site itself, which may everything.

    Asked anew of the database: the actor may have lost it while waiting for the lock.

    Raises:
        PermissionRefused: they may not.
    """
    if actor is not None and not decisions.check(_anew(actor), permission, obj):
        raise PermissionRefused


def require_all_said_by(
    actor: Any, roles: Iterable[Role], obj: models.Model | None = None, *, until: datetime | None = None
) -> None:
    """Refuse an actor who does not hold everything that *roles* say, in the scope of *obj*, until then.

    Args:
        until: The end of what is given; ``None``: there is none, and theirs must have none.

    Raises:
        PermissionRefused: they lack something.
    """
    if actor is None:
        return
    person = _anew(actor)
    if person.is_active and getattr(person, "is_superuser", False):
        return
    saying = RoleClosure.objects.filter(role__in=[role.pk for role in roles]).values("ancestor")
    wildcards = list(Wildcard.objects.filter(role__in=saying))
    names = _named(saying) | {name for wildcard in wildcards for name in _covered(wildcard)}
    now = timezone.now()
    last = _NEVER if until is None else until - timedelta(microseconds=1)
    for moment in {now, max(now, last)}:
        if not decisions.holds_all(person, names, obj, moment):
            raise PermissionRefused
        if not all(_holds_wildcard(person, wildcard, obj, moment) for wildcard in wildcards):
            raise PermissionRefused


def require_permission(actor: Any, permission: str, obj: models.Model) -> None:
    """Refuse an actor who does not hold, for good, what they want to give for one object.

    Raises:
        PermissionRefused: they do not.
    """
    if actor is not None:
        person = _anew(actor)
        if not all(decisions.holds_all(person, {permission}, obj, moment) for moment in (timezone.now(), _NEVER)):
            raise PermissionRefused


def _anew(actor: Any) -> Any:
    """Return the actor as the database knows them now.

    Raises:
        PermissionRefused: they are gone.
    """
    found = get_user_model()._default_manager.filter(pk=actor.pk).first()
    if found is None:
        raise PermissionRefused
    return found


def _named(saying: Any) -> set[str]:
    """Return the permissions that roles allow or deny by name."""
    through = (Role.permissions.through, Role.denials.through)
    keys = [table._default_manager.filter(role__in=saying).values("permission") for table in through]
    found = Permission.objects.filter(Q(pk__in=keys[0]) | Q(pk__in=keys[1])).select_related("content_type")
    return {label_of(permission) for permission in found}


def _covered(wildcard: Wildcard) -> set[str]:
    """Return the permissions that there are now of a wildcard."""
    found = Permission.objects.filter(content_type__app_label=wildcard.app_label).select_related("content_type")
    if wildcard.model:
        found = found.filter(content_type__model=wildcard.model)
    return {label_of(permission) for permission in found}


def _holds_wildcard(person: Any, wanted: Wildcard, obj: models.Model | None, moment: datetime) -> bool:
    """Say whether *person* will hold what comes later, too: by a wildcard that is as wide."""
    scope = Q(scope_type=None)
    for kind, key in [] if obj is None else scopes_of(obj):
        scope |= Q(scope_type=kind, scope_id=key)
    roles = Assignment.objects.reaching(person).in_force(moment).filter(scope).values("role")
    saying = RoleClosure.objects.filter(role__in=roles).values("ancestor")
    wide = Wildcard.objects.filter(role__in=saying, denies=False, app_label=wanted.app_label)
    return wide.filter(model__in={"", wanted.model}).exists()
