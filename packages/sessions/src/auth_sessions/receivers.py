"""Receivers of events that end sessions."""

from typing import Any

from django.db.models.signals import post_delete, pre_delete
from django.utils import timezone

from auth_core.events import AuthEvent, Event, event_recorded
from auth_core.models import Identity
from auth_sessions import lifecycle
from auth_sessions.models import Session
from auth_sessions.revocation import snapshots


def connect() -> None:
    """Connect the receivers."""
    event_recorded.connect(end_sessions_of, dispatch_uid="auth_sessions.end_sessions_of")
    pre_delete.connect(end_acted_sessions_of, sender=Identity, dispatch_uid="auth_sessions.end_acted_sessions_of")
    post_delete.connect(forget_deleted, sender=Session, dispatch_uid="auth_sessions.forget_deleted")


def end_sessions_of(event: Event, **kwargs: Any) -> None:
    """End sessions after a password change, a password reset or a disabled account, in the same transaction."""
    if event.name is AuthEvent.PASSWORD_CHANGED:
        lifecycle.end_other_sessions(user=event.subject, keep=event.session, reason="password_changed")
        if event.session is not None:
            lifecycle.keep_session(session_id=event.session, user=event.subject)
    elif event.name is AuthEvent.PASSWORD_RESET:
        lifecycle.end_all_sessions(user=event.subject, reason="password_reset")
    elif event.name is AuthEvent.ACCOUNT_DISABLED:
        lifecycle.end_all_sessions(user=event.subject, reason="account_disabled", actor=event.actor)


def end_acted_sessions_of(instance: Identity, **kwargs: Any) -> None:
    """End the sessions in which a deleted user acts, before nothing tells any more which they are."""
    lifecycle.end_acted_sessions(user=instance.user)


def forget_deleted(instance: Session, **kwargs: Any) -> None:
    """Delete the snapshot of a deleted row. Otherwise a deleted user would stay signed in for up to a minute.

    An ended session has no snapshot. The sweep deletes thousands of those.
    """
    if instance.ended_at is None and instance.expires_at > timezone.now():
        snapshots.forget(instance.token_digest)
