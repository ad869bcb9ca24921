"""Delegated administration: nobody gives, takes away or changes more than they hold themselves.

Every question is asked before the change, under the lock of the graph, and of the database. The
change therefore never lends the authority for itself. A denial counts as well: a person without a
permission can neither deny it to others nor lift its denial.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.utils import timezone

from auth_core.errors import PermissionRefused
from auth_rbac.decisions import decisions
from auth_rbac.models import Assignment, Role
from auth_rbac.roles.content import NOTHING, Content, RoleContent, contents_of
from auth_rbac.roles.holdings import holdings_of

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
    actor: Any,
    roles: Iterable[Role],
    obj: models.Model | None = None,
    *,
    until: datetime | None = None,
    more: Content = NOTHING,
) -> None:
    """Refuse an actor who does not hold the content of *roles* in the scope of *obj*, from now until then.

    Args:
        until: The end of what is given; ``None``: there is none, and theirs must have none.
        more: What they must hold besides: what the change will add.

    Raises:
        PermissionRefused: they lack something, at some moment of that time or in a part of the scope.
    """
    _require_content(actor, roles, obj, until, lambda content: content.all, more)


def require_all_denied_by(
    actor: Any, roles: Iterable[Role], obj: models.Model | None = None, *, until: datetime | None = None
) -> None:
    """Refuse an actor who does not hold all that *roles* deny; arguments and refusal as in `require_all_said_by`.

    Lifting a denial gives the permission back, for as long as the denial would have lasted.
    """
    _require_content(actor, roles, obj, until, lambda content: content.denied)


def require_permission(actor: Any, permission: str, obj: models.Model) -> None:
    """Refuse an actor who does not hold, for good, what they want to give for one object.

    Raises:
        PermissionRefused: they do not.
    """
    if actor is None:
        return
    person, now = _anew(actor), timezone.now()
    changes = Assignment.objects.reaching(person).values_list("valid_from", "valid_until")
    moments = {now, _NEVER, *(moment for pair in changes for moment in pair if moment is not None and moment > now)}
    if not all(decisions.holds_all(person, {permission}, obj, moment) for moment in moments):
        raise PermissionRefused


def _require_content(
    actor: Any,
    roles: Iterable[Role],
    obj: models.Model | None,
    until: datetime | None,
    part: Callable[[RoleContent], Content],
    more: Content = NOTHING,
) -> None:
    """Refuse an actor who does not hold *more* and that part of the content of *roles*."""
    if actor is None:
        return
    person = _anew(actor)
    if not person.is_active:
        raise PermissionRefused
    if getattr(person, "is_superuser", False):
        return
    wanted = more
    for content in contents_of(role.pk for role in roles).values():
        wanted |= part(content)
    if not holdings_of(person, obj, timezone.now()).have(wanted, until=until):
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
