"""How many sessions one person may have: decided by an administrator, recorded with who did."""

from typing import Any

from django.db import transaction

from auth_core.authority import check_over
from auth_core.events import Event, record
from auth_sessions.events import SessionEvent
from auth_sessions.models import SessionAllowance


def set_allowance(*, user: Any, sessions: int | None, policy: str, actor: Any) -> SessionAllowance:
    """Let *user* have so many sessions at once, from their next login on.

    Args:
        sessions: ``None``: any number.
        policy: One of `auth_sessions.conf.LIMIT_POLICIES`: what happens at the next login.
        actor: Who decided it.

    Raises:
        PermissionRefused: *user* holds more than *actor*.
    """
    check_over(actor, user)
    with transaction.atomic():
        before = SessionAllowance.objects.select_for_update().filter(user=user).first()
        allowance, _created = SessionAllowance.objects.update_or_create(
            user=user, defaults={"sessions": sessions, "policy": policy}
        )
        changes = {
            name: {"before": getattr(before, name, None), "after": getattr(allowance, name)}
            for name in ("sessions", "policy")
            if getattr(before, name, None) != getattr(allowance, name)
        }
        record(Event(name=SessionEvent.ALLOWANCE_CHANGED, subject=user, actor=actor, changes=changes))
    return allowance


def remove_allowance(*, user: Any, actor: Any) -> bool:
    """Let for *user* hold what holds for everybody; say whether this caller was the one who did.

    Raises:
        PermissionRefused: *user* holds more than *actor*.
    """
    check_over(actor, user)
    with transaction.atomic():
        removed, _by_model = SessionAllowance.objects.filter(user=user).delete()
        if removed:
            record(Event(name=SessionEvent.ALLOWANCE_REMOVED, subject=user, actor=actor))
    return bool(removed)
