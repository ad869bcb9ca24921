"""Bringing a session back from its credential: the one door through which every request comes in."""

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
from auth_sessions.context_change import strayed
from auth_sessions.models import Session
from auth_sessions.revocation import snapshots

#: What a credential looks like; anything else is not looked up.
_CREDENTIAL = Pattern(r"eas_[A-Za-z0-9_-]{43}", at_most=47)


def is_credential(text: str) -> bool:
    """Say whether *text* could be a credential of ours."""
    return _CREDENTIAL.fullmatch(text) is not None


def restore(credential: str, *, transport: Transport) -> Session | None:
    """Return the live session that *credential* opens over *transport*, with its user; ``None``: there is none.

    Asks `admission` like every other door: a person who was disabled or locked is
    nobody with the next request, whatever their session says.
    """
    session = snapshots.read(digest(credential)) if is_credential(credential) else None
    if session is None or session.ended_at is not None:
        return None
    moment = timezone.now()
    session.strayed = strayed(session, current().client)
    if not _is_current(session, moment):
        return None
    if session.transport != transport:
        # No browser and no program of ours does this; whoever does has the credential from somewhere.
        denials.note(denials.Reason.OTHER_TRANSPORT, subject=session.user, session=session.pk)
        return None
    _touch(session, moment)
    return session


def _is_current(session: Session, moment: datetime) -> bool:
    """Judge expiry now, never by a sweeper; then ask whether the person may be here."""
    if session.idle_expires_at <= moment:
        return False
    if session.user is None:
        return True
    try:
        admit(session.user, session=session.facts)
    except NotAdmitted:
        return False
    return _has_same_password(session)


def _has_same_password(session: Session) -> bool:
    """Say whether the password is still the one this session began with.

    Only a row can tell: a snapshot carries no password's hash, and is forgotten when
    the user's row changes.
    """
    user = session.user
    if user is None or "password" in user.get_deferred_fields():
        return True
    current = user.get_session_auth_hash()
    if constant_time_compare(session.auth_hash, current):
        return True
    if not any(constant_time_compare(session.auth_hash, old) for old in user.get_session_auth_fallback_hash()):
        return False
    # Made under a SECRET_KEY that will be gone one day; the session outlives it.
    Session.objects.filter(pk=session.pk, auth_hash=session.auth_hash).update(auth_hash=current)
    session.auth_hash = current
    return True


def _touch(session: Session, moment: datetime) -> None:
    """Note in the row that the session is used, at most once a minute; what nobody is behind is no use."""
    client = current().client
    if client is not None and client.is_background:
        return
    behind = Session.objects.filter(pk=session.pk, last_seen_at__lte=moment - sessions.LAST_SEEN_STEP)
    if moment - session.last_seen_at >= sessions.LAST_SEEN_STEP and behind.update(last_seen_at=moment):
        session.last_seen_at = moment
        snapshots.drop(session.token_digest)
    session.seen_at = max(session.used_at, moment)
