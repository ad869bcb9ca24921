"""Delegated administration: a person can give, take away and change no more than they hold.

Every check runs before the change, under the lock of the graph, on the state of the database. A
change therefore never grants the authority for itself. Denials count as well: a person without a
permission can neither deny it to others nor lift its denial.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.utils import timezone

from auth_core.errors import PermissionRefused
from auth_core.users import UserLike
from auth_rbac.decisions import decisions
from auth_rbac.models import Assignment, Role
from auth_rbac.roles.content import NOTHING, Content, RoleContent, contents_of
from auth_rbac.roles.holdings import holdings_of

#: Stands for an end that never comes.
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def require(actor: UserLike | None, permission: str, obj: models.Model | None = None) -> None:
    """Refuse an actor without the permission. ``None`` is the site, which has every permission.

    The actor is read from the database: they may have lost the permission while they waited for the lock.

    Raises:
        PermissionRefused: the actor does not have it.
    """
    if actor is not None and not decisions.check(_reload(actor), permission, obj):
        raise PermissionRefused


def require_all_of_roles(
    actor: UserLike | None,
    roles: Iterable[Role],
    obj: models.Model | None = None,
    *,
    until: datetime | None = None,
    more: Content = NOTHING,
) -> None:
    """Refuse an actor who does not hold all content of *roles* in the scope of *obj*, from now to *until*.

    Args:
        until: The end of the grant. ``None``: it has no end, and the actor's roles must have none.
        more: Content that the actor must hold as well: what the change will add.

    Raises:
        PermissionRefused: the actor lacks something at some moment of that time or in a part of the scope.
    """
    _require_content(actor, roles, obj, until, lambda content: content.all, more)


def require_denials_of_roles(
    actor: UserLike | None, roles: Iterable[Role], obj: models.Model | None = None, *, until: datetime | None = None
) -> None:
    """Refuse an actor who does not hold all that *roles* deny. See `require_all_of_roles` for the arguments.

    Lifting a denial gives the permission back for the rest of the denial's time.
    """
    _require_content(actor, roles, obj, until, lambda content: content.denied)


def require_permission(actor: UserLike | None, permission: str, obj: models.Model) -> None:
    """Refuse an actor who does not permanently hold the permission that they give for one object.

    Raises:
        PermissionRefused: they do not hold it.
    """
    if actor is None:
        return
    person, now = _reload(actor), timezone.now()
    changes = Assignment.objects.reaching(person).values_list("valid_from", "valid_until")
    moments = {now, _NEVER, *(moment for pair in changes for moment in pair if moment is not None and moment > now)}
    if not all(decisions.holds_all(person, {permission}, obj, moment) for moment in moments):
        raise PermissionRefused


def _require_content(
    actor: UserLike | None,
    roles: Iterable[Role],
    obj: models.Model | None,
    until: datetime | None,
    part: Callable[[RoleContent], Content],
    more: Content = NOTHING,
) -> None:
    """Refuse an actor who does not hold *more* and the *part* of the content of *roles*."""
    if actor is None:
        return
    person = _reload(actor)
    if not person.is_active:
        raise PermissionRefused
    if getattr(person, "is_superuser", False):
        return
    required = more
    for content in contents_of(role.pk for role in roles).values():
        required |= part(content)
    if not holdings_of(person, obj, timezone.now()).have(required, until=until):
        raise PermissionRefused


def _reload(actor: UserLike) -> Any:
    """Return the actor, read from the database.

    Raises:
        PermissionRefused: the actor is gone.
    """
    person = get_user_model()._default_manager.filter(pk=actor.pk).first()
    if person is None:
        raise PermissionRefused
    return person
