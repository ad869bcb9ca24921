"""Privileges that rise: the sessions of whoever got more go on under another credential.

Django's own ways of giving privileges are heard here; a site that has others calls
`lifecycle.rotate_sessions`.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.signals import m2m_changed, pre_save

from auth_sessions.lifecycle import rotate_sessions

#: Columns of Django's user that give privileges.
_FLAGS = ("is_staff", "is_superuser")


def connect() -> None:
    """Listen to flags, groups and permissions of people."""
    model = get_user_model()
    pre_save.connect(_flags_saved, sender=model, dispatch_uid="auth_sessions.flags_saved")
    for name in ("groups", "user_permissions"):
        if hasattr(model, name):
            through = getattr(model, name).through
            m2m_changed.connect(_given, sender=through, dispatch_uid=f"auth_sessions.{name}_given")


def _flags_saved(instance: Any, update_fields: Any = None, **kwargs: Any) -> None:
    """Rotate when a flag is there that was not; people without any cost no query."""
    raised = [name for name in _FLAGS if getattr(instance, name, False)]
    written = [name for name in raised if update_fields is None or name in update_fields]
    if not written or instance._state.adding:
        return
    before = type(instance)._default_manager.filter(pk=instance.pk).values(*written).first()
    if before is not None and not all(before.values()):
        rotate_sessions(user=instance)


def _given(instance: Any, action: str, reverse: bool, pk_set: Any, **kwargs: Any) -> None:
    if action != "post_add" or not pk_set:
        return
    people = get_user_model()._default_manager.filter(pk__in=pk_set) if reverse else [instance]
    for person in people:
        rotate_sessions(user=person)
