"""Disabling and locking accounts: each is one conditional change, with its event in the same transaction."""

from enum import StrEnum

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from auth_core.authority import check_over
from auth_core.errors import Conflict, refusal_by_database
from auth_core.events import AuthEvent, Event, record
from auth_core.models import Identity
from auth_core.people.lookup import identity_of, person_changed
from auth_core.people.user_columns import column_named
from auth_core.users import UserLike


class LockReason(StrEnum):
    """Why an account is locked."""

    #: An authorised person locked it. Only an unlock lifts it.
    ADMINISTRATOR = "administrator"
    #: The person reported a login as not theirs. The lock keeps out a thief of the password until it is reset by mail.
    NOT_ME = "not_me"


def disable_account(*, user: UserLike, actor: UserLike | None = None) -> bool:
    """Disable *user* and end their sessions. Return whether this call did so.

    Raises:
        Conflict: the user model has no column ``is_active``. Lock the account instead.
        PermissionRefused: *user* has more permissions than *actor*.
    """
    return _set_active(user, actor, active=False, name=AuthEvent.ACCOUNT_DISABLED)


def enable_account(*, user: UserLike, actor: UserLike | None = None) -> bool:
    """Enable *user*. Their sessions stay ended. Raises the same errors as `disable_account`."""
    return _set_active(user, actor, active=True, name=AuthEvent.ACCOUNT_ENABLED)


def lock_account(
    *, user: UserLike, actor: UserLike | None = None, reason: LockReason = LockReason.ADMINISTRATOR
) -> bool:
    """Lock *user* until an unlock. A browser that sends a request in the meantime loses its session.

    An administrator's lock replaces one that a reset would lift, never the other way round.

    Raises:
        PermissionRefused: *user* has more permissions than *actor*.
    """
    check_over(actor, user)
    unlocked = Q(locked_at=None)
    lockable = unlocked if reason is LockReason.NOT_ME else unlocked | Q(lock_reason=LockReason.NOT_ME.value)
    with transaction.atomic():
        rows = Identity.objects.filter(lockable, pk=identity_of(user).pk)
        row_count = rows.update(locked_at=timezone.now(), lock_reason=reason.value)
        return _record_change(user, actor, AuthEvent.ACCOUNT_LOCKED, changed=bool(row_count), reason=reason.value)


def unlock_account(*, user: UserLike, actor: UserLike | None = None) -> bool:
    """Unlock *user*.

    Raises:
        PermissionRefused: *user* has more permissions than *actor*, who may be the reason for the lock.
    """
    check_over(actor, user)
    with transaction.atomic():
        locked = Identity.objects.filter(pk=identity_of(user).pk, locked_at__isnull=False)
        row_count = locked.update(locked_at=None, lock_reason="")
        return _record_change(user, actor, AuthEvent.ACCOUNT_UNLOCKED, changed=bool(row_count))


def is_lifted_by_reset(user: UserLike | None) -> bool:
    """Return whether a password reset lifts the lock of *user*. Makes no query if the identity is loaded."""
    identity = getattr(user, "auth_identity", None)
    return identity is not None and identity.locked_at is not None and identity.lock_reason == LockReason.NOT_ME


def lift_by_reset(*, user: UserLike) -> bool:
    """Unlock a person who reported a login as not theirs, after their password was reset."""
    with transaction.atomic():
        reported = Identity.objects.filter(user=user.pk, locked_at__isnull=False, lock_reason=LockReason.NOT_ME.value)
        row_count = reported.update(locked_at=None, lock_reason="")
        return _record_change(user, None, AuthEvent.ACCOUNT_UNLOCKED, changed=bool(row_count), reason="password_reset")


def can_be_disabled() -> bool:
    """Return whether accounts can be disabled. A user model without a column ``is_active`` has only locks."""
    return column_named("is_active") is not None


def _set_active(user: UserLike, actor: UserLike | None, *, active: bool, name: AuthEvent) -> bool:
    check_over(actor, user)
    if not can_be_disabled():
        raise Conflict
    users = get_user_model()._default_manager
    with transaction.atomic():
        try:
            changed = users.filter(pk=user.pk, is_active=not active).update(is_active=active)
        except IntegrityError as error:
            if (refusal := refusal_by_database(error)) is not None:
                raise refusal from error
            raise
        return _record_change(user, actor, name, changed=bool(changed))


def _record_change(user: UserLike, actor: UserLike | None, name: AuthEvent, *, changed: bool, reason: str = "") -> bool:
    """Record a change and drop cached copies of the person. Does nothing if another call made the change first."""
    if changed:
        record(Event(name=name, subject=user, actor=actor, reason=reason))
        person_changed(user.pk)
    return changed
