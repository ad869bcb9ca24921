"""Reactions of one package to events of another."""

from typing import Any

from auth_core.events import AuthEvent, Event, event_recorded
from auth_mfa.events import MfaEvent
from auth_rbac.events import RbacEvent
from auth_sessions.lifecycle import end_all_sessions, end_these, rotate_sessions
from auth_sessions.models import Session


def connect() -> None:
    """Connect the receivers."""
    event_recorded.connect(rotate_on_grant, dispatch_uid="enterprise_auth.rotate_on_grant")
    event_recorded.connect(end_sessions_of_factor, dispatch_uid="enterprise_auth.end_sessions_of_factor")
    event_recorded.connect(end_on_reset, dispatch_uid="enterprise_auth.end_on_reset")


def rotate_on_grant(event: Event, **kwargs: Any) -> None:
    """Rotate the session credentials of a user who is granted a role, in the same transaction.

    A role of a group or a service has no subject.
    """
    if event.name is RbacEvent.ASSIGNMENT_GRANTED and event.subject is not None:
        rotate_sessions(user=event.subject)


def end_sessions_of_factor(event: Event, **kwargs: Any) -> None:
    """End the sessions that rest on a removed factor, except the one that removed it (ASVS 6.5.6).

    A phone or key is often removed because another person has it, and that person may have used it.
    """
    if event.name is not AuthEvent.FACTOR_REMOVED or event.target is None:
        return
    _kind, factor_id = event.target
    affected = [
        session
        for session in Session.objects.live().filter(user=event.subject)
        if session.pk != event.session and factor_id in {proof.credential for proof in session.facts.evidence}
    ]
    end_these(sessions_to_end=affected, user=event.subject, reason="factor_removed", actor=event.actor)


def end_on_reset(event: Event, **kwargs: Any) -> None:
    """End all sessions of a user whose second factors were reset. A person who found them may be signed in."""
    if event.name is MfaEvent.FACTORS_RESET:
        end_all_sessions(user=event.subject, reason="factors_reset", actor=event.actor)
