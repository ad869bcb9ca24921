"""Rotation of session credentials when a user gains privileges.

It covers Django's own ways of granting privileges. A site with others calls `lifecycle.rotate_sessions`.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth import get_user_model
from django.db.models.signals import m2m_changed, pre_save

from auth_core.users import UserLike
from auth_sessions.lifecycle import rotate_sessions

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.db.models import Model

#: Columns of Django's user model that grant privileges.
_FLAGS = ("is_staff", "is_superuser")


def connect() -> None:
    """Connect the receivers for flags, groups and permissions of users."""
    model = get_user_model()
    pre_save.connect(_rotate_if_flag_set, sender=model, dispatch_uid="auth_sessions.flags_saved")
    for name in ("groups", "user_permissions"):
        if hasattr(model, name):
            through = getattr(model, name).through
            m2m_changed.connect(_rotate_added_users, sender=through, dispatch_uid=f"auth_sessions.{name}_given")


def _rotate_if_flag_set(
    instance: "AbstractBaseUser", update_fields: Collection[str] | None = None, **kwargs: Any
) -> None:
    """Rotate when a flag was set. Saving a user without flags makes no query."""
    flags = [name for name in _FLAGS if getattr(instance, name, False)]
    written = [name for name in flags if update_fields is None or name in update_fields]
    if not written or instance._state.adding:
        return
    before = type(instance)._default_manager.filter(pk=instance.pk).values(*written).first()
    if before is not None and not all(before.values()):
        rotate_sessions(user=instance)


def _rotate_added_users(
    instance: "Model", action: str, reverse: bool, pk_set: Collection[Any] | None, **kwargs: Any
) -> None:
    if action != "post_add" or not pk_set:
        return
    users = get_user_model()._default_manager.filter(pk__in=pk_set) if reverse else [cast("UserLike", instance)]
    for user in users:
        rotate_sessions(user=user)
