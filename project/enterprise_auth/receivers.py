"""What one sibling does when another has changed something."""

from typing import Any

from auth_core.events import AuthEvent, Event, event_recorded
from auth_mfa.events import MfaEvent
from auth_rbac.events import RbacEvent
from auth_sessions.lifecycle import end_all_sessions, end_these, rotate_sessions
from auth_sessions.models import Session


def connect() -> None:
    """Listen."""
    event_recorded.connect(rotate_on_grant, dispatch_uid="enterprise_auth.rotate_on_grant")
    event_recorded.connect(end_what_a_factor_opened, dispatch_uid="enterprise_auth.end_what_a_factor_opened")
    event_recorded.connect(end_on_reset, dispatch_uid="enterprise_auth.end_on_reset")


def rotate_on_grant(event: Event, **kwargs: Any) -> None:
    """Give the browsers of whoever was given a role another credential, with the change itself."""
    if event.name is RbacEvent.ASSIGNMENT_GRANTED:
        rotate_sessions(user=event.subject)


def end_what_a_factor_opened(event: Event, **kwargs: Any) -> None:
    """End the sessions that rest on a factor which is gone, but that in which its owner removed it (ASVS 6.5.6).

    A telephone or key is often removed because somebody else has it, who may have used it.
    """
    if event.name is not AuthEvent.FACTOR_REMOVED or event.target is None:
        return
    _kind, factor_id = event.target
    rest_on_it = [
        session
        for session in Session.objects.live().filter(user=event.subject)
        if session.pk != event.session and factor_id in {piece.credential for piece in session.facts.evidence}
    ]
    end_these(sessions_to_end=rest_on_it, user=event.subject, reason="factor_removed", actor=event.actor)


def end_on_reset(event: Event, **kwargs: Any) -> None:
    """End all sessions of whoever lost their second factors: whoever found them may be in one."""
    if event.name is MfaEvent.FACTORS_RESET:
        end_all_sessions(user=event.subject, reason="factors_reset", actor=event.actor)
