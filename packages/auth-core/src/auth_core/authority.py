"""Authority: no one gives more than they hold, and no one acts on a person who holds more.

Every function that changes a person's rights, credentials or sessions asks here first, with
the person who acts. An admin page asks through `auth_core.power_signals`. Django's own powers
(superuser, staff, permissions) are compared in this file. A package that knows more, such as
roles, registers an `Authority`, and its answer is required too.

``None`` as the person who acts means the site itself: a command, a task, a test.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from django.contrib.auth import get_user_model

from auth_core.errors import PermissionRefused
from auth_core.registries import Registry
from auth_core.request.context import current


class Authority(Protocol):
    """What a package adds to the comparison; it is never asked about an actor who is a superuser."""

    def holds(self, actor: Any, permissions: Collection[str]) -> bool:
        """Tell whether *actor* holds all of *permissions* (``app.codename``), everywhere and without an end."""

    def covers_person(self, actor: Any, person: Any) -> bool:
        """Tell whether *actor* holds everything that *person* holds."""

    def covers_group(self, actor: Any, group: Any) -> bool:
        """Tell whether *actor* holds everything that *group* gives to its members."""


#: The packages that know of powers beside Django's: name -> their answers.
authorities: Registry[Authority] = Registry("Authority")


def check_over(actor: Any, person: Any) -> None:
    """Refuse an actor who acts on a person who holds more; everyone may act on themselves.

    Both are read again: what a session remembers of them may be old. A disabled person
    counts as if they were active, because their rights come back with the account.

    Raises:
        PermissionRefused: *person* holds something that *actor* does not.
    """
    if actor is None or actor.pk == person.pk or _is_superuser(acting := _able(actor)):
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


def check_group(actor: Any, group: Any) -> None:
    """Refuse an actor who changes a group that gives more than they hold, or who is in or out of it.

    Raises:
        PermissionRefused: *group* gives something that *actor* does not hold.
    """
    if actor is None or _is_superuser(acting := _able(actor)):
        return
    given = {_name_of(permission) for permission in group.permissions.select_related("content_type")}
    if not _has_all(acting, given):
        raise PermissionRefused
    if not all(authority.covers_group(acting, group) for authority in authorities.values()):
        raise PermissionRefused


def check_held(actor: Any, permissions: Collection[Any]) -> None:
    """Refuse an actor who gives or takes permissions that they do not hold.

    Args:
        permissions: Rows of Django's ``Permission``.

    Raises:
        PermissionRefused: *actor* lacks one of them, or holds it for a time only.
    """
    if actor is None or _is_superuser(acting := _able(actor)):
        return
    names = {_name_of(permission) for permission in permissions}
    if not _has_all(acting, names):
        raise PermissionRefused
    if not all(authority.holds(acting, names) for authority in authorities.values()):
        raise PermissionRefused


def check_flags(actor: Any, *flags: str) -> None:
    """Refuse an actor who gives a flag, such as ``is_staff``, that they do not have; superusers have all.

    Raises:
        PermissionRefused: they do not have it.
    """
    if actor is None or _is_superuser(acting := _able(actor)):
        return
    if not all(getattr(acting, flag, False) for flag in flags):
        raise PermissionRefused


def check_superuser(actor: Any) -> None:
    """Refuse everyone but superusers, and the site itself.

    Raises:
        PermissionRefused: *actor* is no active superuser.
    """
    if actor is not None and not _is_superuser(_able(actor)):
        raise PermissionRefused


def acting_person() -> Any:
    """Return who administers in this request; ``None``: no one does, and changes are the site's own."""
    administrators = current().administrators
    return administrators[-1] if administrators else None


@contextmanager
def acting(person: Any) -> Iterator[None]:
    """Let *person* answer for every change of rights inside, as a request of an admin site does.

    For a view of a site that changes groups, permissions or flags itself.
    """
    administrators = current().administrators
    administrators.append(person)
    try:
        yield
    finally:
        administrators.pop()


def _able(actor: Any) -> Any:
    """Return *actor* as the database has them now.

    Raises:
        PermissionRefused: they are anonymous, deleted or disabled: they may give nothing.
    """
    found = _stored(actor)
    if found is None or not found.is_active:
        raise PermissionRefused
    return found


def _stored(person: Any) -> Any:
    """Return *person* as the database has them now, or ``None``."""
    return get_user_model()._base_manager.filter(pk=person.pk).first()


def _is_superuser(person: Any) -> bool:
    return bool(getattr(person, "is_superuser", False))


def _has_all(person: Any, permissions: Collection[str]) -> bool:
    """Ask `has_perm`, which a denial overrules; the set of all permissions would not know of it."""
    return not permissions or (hasattr(person, "has_perms") and bool(person.has_perms(permissions)))


def _permissions_of(person: Any) -> set[str]:
    return set(person.get_all_permissions()) if hasattr(person, "get_all_permissions") else set()


def _name_of(permission: Any) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"
