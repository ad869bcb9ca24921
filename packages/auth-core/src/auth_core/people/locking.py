"""Closing and opening accounts: each one conditional change, with its event in the same transaction."""

from enum import StrEnum
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from auth_core.authority import check_over
from auth_core.events import AuthEvent, Event, record
from auth_core.models import Identity
from auth_core.people.lookup import identity_of, person_changed


class LockReason(StrEnum):
    """Why an account is locked."""

    #: Somebody who may decided it; nothing lifts it but an unlock.
    ADMINISTRATOR = "administrator"
    #: The person said that a login was not theirs: whoever knows the password stays out until it is reset by mailbox.
    DISOWNED = "disowned"


def disable_account(*, user: Any, actor: Any = None) -> bool:
    """Let *user* in nowhere any more, and end their sessions; say whether this caller was the one who did.

    Raises:
        PermissionRefused: *user* holds more than *actor*.
    """
    return _set_active(user, actor, active=False, name=AuthEvent.ACCOUNT_DISABLED)


def enable_account(*, user: Any, actor: Any = None) -> bool:
    """Let *user* sign in again; their sessions stay ended. Raises as `disable_account`."""
    return _set_active(user, actor, active=True, name=AuthEvent.ACCOUNT_ENABLED)


def lock_account(*, user: Any, actor: Any = None, reason: LockReason = LockReason.ADMINISTRATOR) -> bool:
    """Refuse *user* until somebody unlocks them; a browser that asks meanwhile forgets its session.

    An administrator's lock takes the place of one that a reset would lift, never the other way round.

    Raises:
        PermissionRefused: *user* holds more than *actor*.
    """
    check_over(actor, user)
    free = Q(locked_at=None)
    lockable = free if reason is LockReason.DISOWNED else free | Q(lock_reason=LockReason.DISOWNED.value)
    with transaction.atomic():
        rows = Identity.objects.filter(lockable, pk=identity_of(user).pk)
        locked = rows.update(locked_at=timezone.now(), lock_reason=reason.value)
        return _told(user, actor, AuthEvent.ACCOUNT_LOCKED, changed=bool(locked), reason=reason.value)


def unlock_account(*, user: Any, actor: Any = None) -> bool:
    """Take a lock away.

    Raises:
        PermissionRefused: *user* holds more than *actor*: the lock may be there because of them.
    """
    check_over(actor, user)
    with transaction.atomic():
        locked = Identity.objects.filter(pk=identity_of(user).pk, locked_at__isnull=False)
        unlocked = locked.update(locked_at=None, lock_reason="")
        return _told(user, actor, AuthEvent.ACCOUNT_UNLOCKED, changed=bool(unlocked))


def is_lifted_by_reset(user: Any) -> bool:
    """Say whether *user* is locked in the one way that a password reset lifts; no query when the identity is loaded."""
    identity = getattr(user, "auth_identity", None)
    return identity is not None and identity.locked_at is not None and identity.lock_reason == LockReason.DISOWNED


def lift_by_reset(*, user: Any) -> bool:
    """Take away the lock of somebody who disowned a login, now that the password is another one."""
    with transaction.atomic():
        disowned = Identity.objects.filter(user=user, locked_at__isnull=False, lock_reason=LockReason.DISOWNED.value)
        unlocked = disowned.update(locked_at=None, lock_reason="")
        return _told(user, None, AuthEvent.ACCOUNT_UNLOCKED, changed=bool(unlocked), reason="password_reset")


def _set_active(user: Any, actor: Any, *, active: bool, name: AuthEvent) -> bool:
    check_over(actor, user)
    users = get_user_model()._default_manager
    with transaction.atomic():
        changed = users.filter(pk=user.pk, is_active=not active).update(is_active=active)
        return _told(user, actor, name, changed=bool(changed))


def _told(user: Any, actor: Any, name: AuthEvent, *, changed: bool, reason: str = "") -> bool:
    """Record a change, and drop the copies of the person; nothing when somebody else was first."""
    if changed:
        record(Event(name=name, subject=user, actor=actor, reason=reason))
        person_changed(user.pk)
    return changed
