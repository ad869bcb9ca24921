"""Protects the last administrator, also against concurrent changes.

An administrator is an active superuser. If a site has none, it is an active person who may assign
roles everywhere. Every change that could remove an administrator holds the lock of the graph while
it counts the others. Of two administrators who remove each other, the second is refused.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet

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
        had_one = subjects(ADMINISTERS).exists()
        yield
        if had_one and not subjects(ADMINISTERS).exists():
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
    elif not _superusers().exists() and not subjects(ADMINISTERS).exists() and _would_administer(user):
        raise LastAdministrator


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
    """Refuse if *user* is the last administrator. Return whom they are one of, or ``None`` if they are no administrator.

    Args:
        user: Who is deleted, disabled or no longer a superuser.
        keeps_roles: Whether their roles still count after the change.
    """
    if _superusers().filter(pk=user.pk).exists():
        administrators: Administrators = _superusers
    elif keeps_roles or _superusers().exists() or not subjects(ADMINISTERS, among=[user.pk]).exists():
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
    return people.filter(is_active=True, is_superuser=True)


def _role_managers() -> "QuerySet[Any]":
    return subjects(ADMINISTERS)


def _would_administer(user: UserLike) -> bool:
    """Tell whether *user* would be an administrator if they were active."""
    return subjects(ADMINISTERS, among=[user.pk], active_only=False).exists()
