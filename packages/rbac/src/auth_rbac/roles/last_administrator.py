"""Protects the last administrator, also against concurrent changes.

An administrator is an active superuser. If a site has none, it is an active person who may assign
roles everywhere. A person does not count while an administrator has locked them. Every change that
could remove an administrator holds the lock of the graph while it counts the others. Of two administrators who remove each other, the second is refused.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet

from auth_core.models import Identity
from auth_core.people.locking import LockReason
from auth_core.users import UserLike
from auth_rbac.decisions.subjects import subjects
from auth_rbac.errors import LastAdministrator
from auth_rbac.models.version import lock_graph

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

#: The permission that makes its holders administrators, if they hold it everywhere.
ADMINISTERS = "auth_rbac.add_assignment"

#: The fields of a user that make a superuser.
_SUPERUSER_FIELDS = {"is_active", "is_superuser"}


#: Returns all administrators of one kind.
Administrators = Callable[[], "QuerySet[Any]"]

#: The attribute of a person who is about to be deleted: the administrators of their kind.
_ADMINISTRATORS = "_auth_rbac_administrators"

#: The attribute of a person or group that loses something: whether the site had an administrator by roles alone.
_HAD_ROLE_MANAGER = "_auth_rbac_had_role_manager"


@contextmanager
def keeping_an_administrator() -> Iterator[None]:
    """Run a change, and undo it if it leaves the site without an administrator.

    Raises:
        LastAdministrator: the site had an administrator before the change, and has none after it.
    """
    with transaction.atomic():
        lock_graph()
        if _superusers().exists():
            # No change in this context removes a superuser.
            yield
            return
        had_one = _role_managers().exists()
        yield
        if had_one and not _role_managers().exists():
            raise LastAdministrator


def keep_after_disabling(user: UserLike) -> None:
    """Refuse that the last administrator was disabled in the current transaction.

    Raises:
        LastAdministrator: *user* was the last.
    """
    lock_graph()
    if getattr(user, "is_superuser", False):
        if not _superusers().exists():
            raise LastAdministrator
    elif not _superusers().exists() and not _role_managers().exists() and _would_administer(user):
        raise LastAdministrator


def keep_after_locking(user: UserLike) -> None:
    """Refuse that an administrator locked the last administrator in the current transaction. No one could unlock them.

    Raises:
        LastAdministrator: *user* was the last.
    """
    if user.is_active:
        keep_after_disabling(user)


def keep_before_taking(instance: Any, **kwargs: Any) -> None:
    """Remember, before roles or permissions are taken away, whether they make the last administrator.

    A superuser needs none, so with one of them nothing is counted.
    """
    if not _superusers().exists():
        lock_graph()
        instance.__dict__[_HAD_ROLE_MANAGER] = _role_managers().exists()


def keep_after_taking(instance: Any, **kwargs: Any) -> None:
    """Refuse that roles or permissions of the last administrator were taken away in the current transaction.

    Raises:
        LastAdministrator: no administrator is left.
    """
    if instance.__dict__.pop(_HAD_ROLE_MANAGER, False) and not _role_managers().exists():
        raise LastAdministrator


def keep_when_taken(instance: Any, action: str, **kwargs: Any) -> None:
    """Do the same for groups and permissions of people, and for permissions of groups.

    Raises:
        LastAdministrator: no administrator is left.
    """
    if action in ("pre_remove", "pre_clear"):
        keep_before_taking(instance)
    elif action in ("post_remove", "post_clear"):
        keep_after_taking(instance)


def keep_before_deleting(instance: "AbstractBaseUser", **kwargs: Any) -> None:
    """Refuse to delete the last administrator.

    Raises:
        LastAdministrator: *instance* is the last.
    """
    instance.__dict__[_ADMINISTRATORS] = _keep_without(instance)


def keep_after_deleting(instance: "AbstractBaseUser", **kwargs: Any) -> None:
    """Refuse to delete all administrators with one statement.

    Before it each of them sees the others. All of them are gone when the first of these signals is sent, still in the
    transaction.

    Raises:
        LastAdministrator: no administrator is left.
    """
    administrators = instance.__dict__.pop(_ADMINISTRATORS, None)
    if administrators is not None and not administrators().exists():
        raise LastAdministrator


def keep_before_saving(
    instance: "AbstractBaseUser", raw: bool = False, update_fields: Sequence[str] | None = None, **kwargs: Any
) -> None:
    """Refuse to save the last administrator without what makes them one.

    Raises:
        LastAdministrator: *instance* is the last.
    """
    is_concerned = update_fields is None or _SUPERUSER_FIELDS & set(update_fields)
    stays = instance.is_active and getattr(instance, "is_superuser", False)
    if not (raw or instance._state.adding or stays) and is_concerned:
        _keep_without(instance, keeps_roles=instance.is_active)


def _keep_without(user: UserLike, *, keeps_roles: bool = False) -> Administrators | None:
    """Refuse if *user* is the last administrator. Return the administrators of their kind, or ``None`` if they are none.

    Args:
        user: Who is deleted, disabled or no longer a superuser.
        keeps_roles: Whether their roles still count after the change.
    """
    if _superusers().filter(pk=user.pk).exists():
        administrators: Administrators = _superusers
    elif keeps_roles or _superusers().exists() or not _unlocked(subjects(ADMINISTERS, among=[user.pk])).exists():
        return None
    else:
        administrators = _role_managers
    with transaction.atomic():
        lock_graph()
        if not administrators().exclude(pk=user.pk).exists():
            raise LastAdministrator
    return administrators


def _superusers() -> "QuerySet[Any]":
    people = get_user_model()._default_manager
    if not hasattr(get_user_model(), "is_superuser"):
        return people.none()
    return _unlocked(people.filter(is_active=True, is_superuser=True))


def _role_managers() -> "QuerySet[Any]":
    return _unlocked(subjects(ADMINISTERS))


def _unlocked(people: "QuerySet[Any]") -> "QuerySet[Any]":
    """Return *people* without those who sign in again only after an unlock. A reset of the password lifts other locks."""
    locked = Identity.objects.filter(locked_at__isnull=False, lock_reason=LockReason.ADMINISTRATOR.value)
    return people.exclude(pk__in=locked.values("user"))


def _would_administer(user: UserLike) -> bool:
    """Tell whether *user* would be an administrator if they were active."""
    return subjects(ADMINISTERS, among=[user.pk], active_only=False).exists()
