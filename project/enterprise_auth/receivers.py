"""What one sibling does when another has changed something."""

from typing import Any

from auth_core.events import Event, event_recorded
from auth_rbac.events import RbacEvent
from auth_sessions.lifecycle import rotate_sessions


def connect() -> None:
    """Listen."""
    event_recorded.connect(rotate_on_grant, dispatch_uid="enterprise_auth.rotate_on_grant")


def rotate_on_grant(event: Event, **kwargs: Any) -> None:
    """Give the browsers of whoever was given a role another credential, with the change itself."""
    if event.name is RbacEvent.ASSIGNMENT_GRANTED:
        rotate_sessions(user=event.subject)
