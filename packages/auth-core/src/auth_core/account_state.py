"""Closing and opening accounts: each one conditional change, with its event in the same transaction."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from auth_core.events import AuthEvent, Event, record
from auth_core.models import Identity
from auth_core.people import identity_of, person_changed


def disable_account(*, user: Any, actor: Any = None) -> bool:
    """Let *user* in nowhere any more, and end their sessions; say whether this caller was the one who did."""
    return _set_active(user, actor, active=False, name=AuthEvent.ACCOUNT_DISABLED)


def enable_account(*, user: Any, actor: Any = None) -> bool:
    """Let *user* sign in again; their sessions stay ended."""
    return _set_active(user, actor, active=True, name=AuthEvent.ACCOUNT_ENABLED)


def lock_account(*, user: Any, actor: Any = None) -> bool:
    """Refuse *user* until somebody unlocks them; a browser that asks meanwhile forgets its session."""
    with transaction.atomic():
        locked = Identity.objects.filter(pk=identity_of(user).pk, locked_at=None).update(locked_at=timezone.now())
        return _told(user, actor, AuthEvent.ACCOUNT_LOCKED, changed=bool(locked))


def unlock_account(*, user: Any, actor: Any = None) -> bool:
    """Take a lock away."""
    with transaction.atomic():
        locked = Identity.objects.filter(pk=identity_of(user).pk, locked_at__isnull=False)
        return _told(user, actor, AuthEvent.ACCOUNT_UNLOCKED, changed=bool(locked.update(locked_at=None)))


def _set_active(user: Any, actor: Any, *, active: bool, name: AuthEvent) -> bool:
    users = get_user_model()._default_manager
    with transaction.atomic():
        changed = users.filter(pk=user.pk, is_active=not active).update(is_active=active)
        return _told(user, actor, name, changed=bool(changed))


def _told(user: Any, actor: Any, name: AuthEvent, *, changed: bool) -> bool:
    """Record a change, and drop the copies of the person; nothing when somebody else was first."""
    if changed:
        record(Event(name=name, subject=user, actor=actor))
        person_changed(user.pk)
    return changed
