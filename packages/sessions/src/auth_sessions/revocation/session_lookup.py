"""Session lookup by credential. Every request passes through it."""

from datetime import datetime

from django.utils import timezone
from django.utils.crypto import constant_time_compare

from auth_core.contracts import Transport
from auth_core.crypto.secrets import digest
from auth_core.observability import denials
from auth_core.people.admission import NotAdmitted, admit
from auth_core.request.context import current
from auth_core.text import Pattern
from auth_sessions.conf import sessions
from auth_sessions.context_change import context_changes
from auth_sessions.models import Session
from auth_sessions.revocation import snapshots

#: The format of a credential. Other text is not looked up.
_CREDENTIAL = Pattern(r"eas_[A-Za-z0-9_-]{43}", at_most=47)


def is_credential(text: str) -> bool:
    """Tell whether *text* has the format of a session credential."""
    return _CREDENTIAL.fullmatch(text) is not None


def look_up_session(credential: str, *, transport: Transport) -> Session | None:
    """Return the live session of *credential* over *transport*, with its user, or ``None``.

    It calls `admission` like every other entry point. A user who was disabled or locked is anonymous from the next
    request on.
    """
    reading = snapshots.read(digest(credential)) if is_credential(credential) else None
    if reading is None or reading.session.ended_at is not None:
        return None
    session, moment = reading.session, timezone.now()
    if not _has_same_password(session):
        # No snapshot is written. It carries no password hash, so the next request could not tell.
        return None
    session.context_changed = context_changes(session, current().client)
    is_valid = _is_current(session, moment) and _is_over(transport, session)
    if is_valid and _touch(session, moment):
        reading.is_written = False
    snapshots.write(reading)
    return session if is_valid else None


def _is_current(session: Session, moment: datetime) -> bool:
    """Tell whether the session is unexpired now, and whether its user is still admitted."""
    if session.idle_expires_at <= moment:
        return False
    if session.user is None:
        return True
    try:
        admit(session.user, session=session.facts)
    except NotAdmitted:
        return False
    return True


def _is_over(transport: Transport, session: Session) -> bool:
    """Tell whether the session was opened for *transport*. If not, mark the request as denied."""
    if session.transport == transport:
        return True
    # No legitimate client does this. The credential was probably stolen.
    denials.mark_denied(denials.DenialReason.OTHER_TRANSPORT, subject=session.user, session=session.pk)
    return False


def _has_same_password(session: Session) -> bool:
    """Tell whether the user's password is still the one with which this session began.

    Only a row can tell. A snapshot carries no password hash, and is deleted when the user's row changes.
    """
    user = session.user
    if user is None or "password" in user.get_deferred_fields():
        return True
    current = user.get_session_auth_hash()
    if constant_time_compare(session.auth_hash, current):
        return True
    if not any(constant_time_compare(session.auth_hash, old) for old in user.get_session_auth_fallback_hash()):
        return False
    # The hash was made under an old SECRET_KEY that will be removed. The session must outlive it.
    Session.objects.filter(pk=session.pk, auth_hash=session.auth_hash).update(auth_hash=current)
    session.auth_hash = current
    return True


def _touch(session: Session, moment: datetime) -> bool:
    """Update the last-seen time in the row, at most once a minute. Background requests do not count as use.

    Returns:
        Whether the row changed.
    """
    client = current().client
    if client is not None and client.is_background:
        return False
    last_seen_at, session.seen_at = session.last_seen_at, max(session.used_at, moment)
    if moment - last_seen_at < sessions.LAST_SEEN_STEP:
        return False
    outdated = Session.objects.filter(pk=session.pk, last_seen_at__lte=moment - sessions.LAST_SEEN_STEP)
    if not outdated.update(last_seen_at=moment):
        return False
    session.last_seen_at = moment
    return True
