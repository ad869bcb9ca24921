"""Admission: whether somebody may be here at all; asked by every door, answered in one place."""

from enum import StrEnum
from typing import Any

from django.utils import timezone

from auth_core.assurance.evidence import SessionFacts


class Reason(StrEnum):
    """Why somebody is not admitted; for the trail, never for the caller."""

    UNKNOWN = "unknown"
    DISABLED = "disabled"
    LOCKED = "locked"
    ENDED = "ended"
    OUTDATED = "outdated"


class NotAdmitted(Exception):
    """This person, application, provider or session may not be here.

    Whoever asks turns it into the refusal that a wrong password gets, or into
    nobody being signed in.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def admit(user: Any, *, application: Any = None, provider: Any = None, session: SessionFacts | None = None) -> None:
    """Let pass whoever may be here; no query when the identity of *user* is loaded.

    Args:
        user: The person; ``None`` is nobody.
        application: The application they come through, if it says whether it `is_active`.
        provider: The provider that vouches for them, likewise.
        session: The session they come with.

    Raises:
        NotAdmitted: with the reason.
    """
    if user is None or not user.is_authenticated:
        raise NotAdmitted(Reason.UNKNOWN)
    if not user.is_active or not all(getattr(party, "is_active", True) for party in (application, provider)):
        raise NotAdmitted(Reason.DISABLED)
    if _is_locked(user):
        raise NotAdmitted(Reason.LOCKED)
    if session is not None and _has_ended(session):
        raise NotAdmitted(Reason.ENDED)


def _is_locked(user: Any) -> bool:
    identity = getattr(user, "auth_identity", None)
    return identity is not None and identity.locked_at is not None


def _has_ended(session: SessionFacts) -> bool:
    """Judge expiry when it is read, never by a sweeper."""
    moment = timezone.now()
    ends = [end for end in (session.expires_at, session.idle_expires_at) if end is not None]
    return any(end <= moment for end in ends)
