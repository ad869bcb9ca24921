"""The last administrator stays, whoever removes whom at the same moment.

An administrator is an active superuser; on a site that has none, somebody active who may
give roles everywhere. Every change that could take one away holds the lock of the graph
while it counts who is left: of two that remove each other, the second finds nobody.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet

from auth_rbac.decisions.subjects import subjects
from auth_rbac.errors import LastAdministrator
from auth_rbac.models.version import lock_graph

#: What makes an administrator of whoever holds it everywhere.
ADMINISTERS = "auth_rbac.add_assignment"

#: The fields of a user that say who is a superuser and active.
_TELLING = {"is_active", "is_superuser"}


@contextmanager
def keeping_an_administrator() -> Iterator[None]:
    """Make a change, and see that the site can still be administered if it could be before.

    Raises:
        LastAdministrator: it could not; the change is undone.
    """
    with transaction.atomic():
        lock_graph()
        if _superusers().exists():
            # Nothing that is changed here takes a superuser away.
            yield
            return
        had_one = subjects(ADMINISTERS).exists()
        yield
        if had_one and not subjects(ADMINISTERS).exists():
            raise LastAdministrator


def keep_after_disabling(user: Any) -> None:
    """Refuse that *user*, who is disabled in the transaction that is open, was the last administrator.

    Raises:
        LastAdministrator: they were.
    """
    lock_graph()
    if getattr(user, "is_superuser", False):
        if not _superusers().exists():
            raise LastAdministrator
    elif not _superusers().exists() and not subjects(ADMINISTERS).exists() and _would_administer(user):
        raise LastAdministrator


def keep_before_deleting(instance: Any, **kwargs: Any) -> None:
    """Refuse to delete the last administrator.

    Raises:
        LastAdministrator: it is they.
    """
    _keep_without(instance)


def keep_before_saving(
    instance: Any, raw: bool = False, update_fields: Sequence[str] | None = None, **kwargs: Any
) -> None:
    """Refuse to save the last administrator as somebody who is none.

    Raises:
        LastAdministrator: it is they.
    """
    tells = update_fields is None or _TELLING & set(update_fields)
    stays = instance.is_active and getattr(instance, "is_superuser", False)
    if not (raw or instance._state.adding or stays) and tells:
        _keep_without(instance)


def _keep_without(user: Any) -> None:
    """Refuse that somebody goes who is the last superuser, or the last who may give roles where there is none."""
    if _superusers().filter(pk=user.pk).exists():
        with transaction.atomic():
            lock_graph()
            if not _superusers().exclude(pk=user.pk).exists():
                raise LastAdministrator


def _superusers() -> "QuerySet[Any]":
    people = get_user_model()._default_manager
    if not hasattr(get_user_model(), "is_superuser"):
        return people.none()
    return people.filter(is_active=True, is_superuser=True)


def _would_administer(user: Any) -> bool:
    """Say whether *user* would be an administrator if they were active."""
    return subjects(ADMINISTERS, among=[user.pk], active_only=False).exists()
