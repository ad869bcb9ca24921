"""Authority: no one grants more than they hold, and no one acts on a person who holds more.

Every function that changes a person's rights, credentials or sessions calls a check of this
module first, with the acting person. Admin pages call it through `auth_core.power_signals`.
This module compares Django's own rights (superuser, staff, permissions). A package with
further rights, such as roles, registers an `Authority`, which must agree too.

``None`` as the acting person means the site itself: a command, a task, a test.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from django.contrib.auth import get_user_model

from auth_core.errors import PermissionRefused
from auth_core.registries import Registry
from auth_core.request.context import current
from auth_core.users import UserLike

if TYPE_CHECKING:
    from django.contrib.auth.models import Group, Permission


class Authority(Protocol):
    """A package's part of the comparison. It is never called for a superuser as the actor."""

    def holds(self, actor: UserLike, permissions: Collection[str]) -> bool:
        """Return whether *actor* holds all of *permissions* (``app.codename``), globally and without an end date."""

    def covers_person(self, actor: UserLike, person: UserLike) -> bool:
        """Return whether *actor* holds everything that *person* holds."""

    def covers_group(self, actor: UserLike, group: "Group") -> bool:
        """Return whether *actor* holds everything that *group* gives to its members."""

    def covers_service(self, actor: UserLike, service_id: UUID) -> bool:
        """Return whether *actor* holds everything that the service with this public id holds, disabled or not."""


#: Further authorities, by name. They compare rights beyond Django's.
authorities: Registry[Authority] = Registry("Authority")


def check_over(actor: UserLike | None, person: UserLike) -> None:
    """Refuse an actor who acts on a person who holds more. Everyone may act on themselves.

    Both are read again, because the copies in a session may be outdated. A disabled person counts
    as active, because their rights return with the account.

    Raises:
        PermissionRefused: *person* holds something that *actor* does not.
    """
    if actor is None or actor.pk == person.pk or _is_superuser(acting := _active_actor(actor)):
        return
    other = _stored(person)
    if other is None:
        return
    other.is_active = True
    is_above = _is_superuser(other) or (getattr(other, "is_staff", False) and not getattr(acting, "is_staff", False))
    if is_above or not _has_all(acting, _permissions_of(other)):
        raise PermissionRefused
    if not all(authority.covers_person(acting, other) for authority in authorities.values()):
        raise PermissionRefused


def check_group(actor: UserLike | None, group: "Group") -> None:
    """Refuse an actor who changes a group, or its members, if the group gives more than they hold.

    Raises:
        PermissionRefused: *group* gives something that *actor* does not hold.
    """
    if actor is None or _is_superuser(acting := _active_actor(actor)):
        return
    granted = {_name_of(permission) for permission in group.permissions.select_related("content_type")}
    if not _has_all(acting, granted):
        raise PermissionRefused
    if not all(authority.covers_group(acting, group) for authority in authorities.values()):
        raise PermissionRefused


def check_service(actor: UserLike | None, service_id: UUID) -> None:
    """Refuse an actor who changes a service, such as an application, that holds more than they do.

    A person who knows the secret of a service, or enables it again, acts with what it holds. A service that is disabled
    counts as it would after it is enabled.

    Args:
        service_id: The public id of the service.

    Raises:
        PermissionRefused: the service holds something that *actor* does not.
    """
    if actor is None or _is_superuser(acting := _active_actor(actor)):
        return
    if not all(authority.covers_service(acting, service_id) for authority in authorities.values()):
        raise PermissionRefused


def check_held(actor: UserLike | None, permissions: Collection[Any]) -> None:
    """Refuse an actor who grants or removes permissions that they do not hold.

    Args:
        permissions: Rows of Django's ``Permission``.

    Raises:
        PermissionRefused: *actor* lacks one of them, or holds it only for a limited time.
    """
    if actor is None or _is_superuser(acting := _active_actor(actor)):
        return
    names = {_name_of(permission) for permission in permissions}
    if not _has_all(acting, names):
        raise PermissionRefused
    if not all(authority.holds(acting, names) for authority in authorities.values()):
        raise PermissionRefused


def check_flags(actor: UserLike | None, *flags: str) -> None:
    """Refuse an actor who sets a flag, such as ``is_staff``, that they do not have. Superusers have all.

    Raises:
        PermissionRefused: *actor* does not have the flag.
    """
    if actor is None or _is_superuser(acting := _active_actor(actor)):
        return
    if not all(getattr(acting, flag, False) for flag in flags):
        raise PermissionRefused


def check_superuser(actor: UserLike | None) -> None:
    """Refuse everyone but superusers and the site itself.

    Raises:
        PermissionRefused: *actor* is not an active superuser.
    """
    if actor is not None and not _is_superuser(_active_actor(actor)):
        raise PermissionRefused


def acting_person() -> Any:
    """Return the person who administers in this request. ``None`` if changes are the site's own."""
    administrators = current().administrators
    return administrators[-1] if administrators else None


@contextmanager
def acting(person: UserLike) -> Iterator[None]:
    """Check every change of rights inside the block against *person*, as in an admin request.

    For a view of a site that changes groups, permissions or flags itself.
    """
    administrators = current().administrators
    administrators.append(person)
    try:
        yield
    finally:
        administrators.pop()


def _active_actor(actor: UserLike) -> Any:
    """Return *actor* with their current state in the database.

    Raises:
        PermissionRefused: they are anonymous, deleted or disabled, and may grant nothing.
    """
    stored = _stored(actor)
    if stored is None or not stored.is_active:
        raise PermissionRefused
    return stored


def _stored(person: UserLike) -> Any:
    """Return *person* with their current state in the database, or ``None``."""
    return get_user_model()._base_manager.filter(pk=person.pk).first()


def _is_superuser(person: UserLike) -> bool:
    return bool(getattr(person, "is_superuser", False))


def _has_all(person: UserLike, permissions: Collection[str]) -> bool:
    """Check with `has_perm`, which denials override. The set of all permissions does not include denials."""
    return not permissions or (hasattr(person, "has_perms") and bool(person.has_perms(permissions)))


def _permissions_of(person: UserLike) -> set[str]:
    return set(person.get_all_permissions()) if hasattr(person, "get_all_permissions") else set()


def _name_of(permission: "Permission") -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"
