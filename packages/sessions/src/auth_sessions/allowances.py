"""Session limits of single users. An administrator sets them, and each change is recorded."""

from typing import Any, cast

from django.db import transaction

from auth_core.authority import check_over
from auth_core.events import Event, record
from auth_core.users import UserLike
from auth_sessions.events import SessionEvent
from auth_sessions.models import SessionAllowance


def set_allowance(*, user: UserLike, sessions: int | None, policy: str, actor: UserLike | None) -> SessionAllowance:
    """Set the session limit of *user*, effective from their next login.

    Args:
        sessions: Maximum number. ``None``: unlimited.
        policy: What happens at the limit, one of `auth_sessions.conf.LIMIT_POLICIES`.
        actor: The administrator.

    Raises:
        PermissionRefused: *user* holds more permissions than *actor*.
    """
    check_over(actor, user)
    with transaction.atomic():
        before = SessionAllowance.objects.select_for_update().filter(user=user.pk).first()
        allowance, _created = SessionAllowance.objects.update_or_create(
            user=cast("Any", user), defaults={"sessions": sessions, "policy": policy}
        )
        changes = {
            name: {"before": getattr(before, name, None), "after": getattr(allowance, name)}
            for name in ("sessions", "policy")
            if getattr(before, name, None) != getattr(allowance, name)
        }
        record(Event(name=SessionEvent.ALLOWANCE_CHANGED, subject=user, actor=actor, changes=changes))
    return allowance


def remove_allowance(*, user: UserLike, actor: UserLike | None) -> bool:
    """Remove the own limit of *user*, so that the general limits apply. Return whether this call removed it.

    Raises:
        PermissionRefused: *user* holds more permissions than *actor*.
    """
    check_over(actor, user)
    with transaction.atomic():
        removed, _by_model = SessionAllowance.objects.filter(user=user.pk).delete()
        if removed:
            record(Event(name=SessionEvent.ALLOWANCE_REMOVED, subject=user, actor=actor))
    return bool(removed)
