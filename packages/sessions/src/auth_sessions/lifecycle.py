"""The ends of sessions: one, the others, all; each recorded with the change."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from auth_core.authority import check_over
from auth_core.contracts import Transport
from auth_core.events import AuthEvent, Event, record
from auth_sessions.conf import sessions
from auth_sessions.models import Session
from auth_sessions.revocation import snapshots

#: Rows that one statement deletes.
_BATCH = 1000


def end_session(*, session_id: UUID, user: Any, reason: str, actor: Any = None) -> bool:
    """End a session; say whether this caller was the one who did.

    Its snapshot is forgotten when the end is committed, before it is answered.

    Args:
        session_id: Public id.
        user: Whose it must be; somebody else's is not found.
        reason: Closed word for the trail.
        actor: Who ended it, when that is somebody else.

    Raises:
        PermissionRefused: *user* holds more than *actor*.
    """
    check_over(actor, user)
    session = Session.objects.of(user).filter(pk=session_id).only("pk", "token_digest").first()
    if session is None:
        return False
    ended = _end(session, user, reason, actor)
    snapshots.forget(session.token_digest)
    return ended


def end_other_sessions(*, user: Any, keep: UUID | None, reason: str, actor: Any = None) -> int:
    """End all sessions of *user* but *keep*; return how many this caller ended. Raises as `end_session`."""
    others = Session.objects.of(user).unended().exclude(pk__in=[keep] if keep else []).only("pk", "token_digest")
    return end_these(sessions_to_end=list(others), user=user, reason=reason, actor=actor)


def end_these(
    *, sessions_to_end: Sequence[Session], user: Any, reason: str, actor: Any = None, at: datetime | None = None
) -> int:
    """End sessions of *user*, already read; return how many this caller ended. Their snapshots go together.

    Args:
        at: When they end, if another clock than this process's decides (see `limits`).

    Raises:
        PermissionRefused: *user* holds more than *actor*.
    """
    check_over(actor, user)
    ended = sum(_end(session, user, reason, actor, at) for session in sessions_to_end)
    # Also those that somebody else ended: they may not have reached the cache.
    snapshots.forget(*(session.token_digest for session in sessions_to_end))
    return ended


def end_all_sessions(*, user: Any, reason: str, actor: Any = None) -> int:
    """End all sessions of *user*; return how many this caller ended. Raises as `end_session`."""
    return end_other_sessions(user=user, keep=None, reason=reason, actor=actor)


def rotate_sessions(*, user: Any) -> int:
    """Have the browsers of *user* get another credential with their next request; return how many sessions.

    Whoever has learnt a credential before a privilege rose must not hold the privilege, too (ASVS 7.2.4). A caller
    with a token cannot be told another one, and keeps it.
    """
    browsers = Session.objects.of(user).unended().filter(transport=Transport.COOKIE.value)
    digests = list(browsers.values_list("token_digest", flat=True))
    rotating = browsers.filter(token_digest__in=digests).update(rotates=True) if digests else 0
    snapshots.forget(*digests)
    return rotating


def keep_session(*, session_id: UUID, user: Any) -> None:
    """Let a session live on though *user* has another password now: the one in which it was changed."""
    kept = Session.objects.of(user).unended().filter(pk=session_id)
    for token_digest in kept.values_list("token_digest", flat=True):
        kept.update(auth_hash=user.get_session_auth_hash())
        snapshots.forget(token_digest)


def delete_dead() -> int:
    """Delete rows that ended or expired long ago; return how many. Nothing depends on it."""
    return sum(deleting_dead(older_than=sessions.KEEP_DEAD))


def deleting_dead(*, older_than: timedelta) -> Iterator[int]:
    """Delete rows that ended or expired that long ago; yield how many, batch by batch, each committed for itself.

    Two questions, each in the order of its index: one that asks for either would read
    the whole table to find the last few.
    """
    long_ago = timezone.now() - older_than
    for moment in ("ended_at", "expires_at"):
        while deleted := _delete_batch(moment, long_ago):
            yield deleted


def _delete_batch(moment: str, long_ago: datetime) -> int:
    """Delete the oldest rows whose *moment* lies before *long_ago*; return how many, 0 when none are left."""
    dead = Session.objects.filter(**{f"{moment}__lt": long_ago}).order_by(moment)
    return Session.objects.filter(pk__in=list(dead.values_list("pk", flat=True)[:_BATCH])).delete()[0]


def _end(session: Session, user: Any, reason: str, actor: Any, at: datetime | None = None) -> bool:
    """End one session by one conditional statement: of two at once, one records it."""
    with transaction.atomic():
        ended = Session.objects.filter(pk=session.pk, ended_at=None).update(
            ended_at=at or timezone.now(), ended_reason=reason
        )
        if ended:
            record(Event(name=AuthEvent.SESSION_ENDED, subject=user, actor=actor, session=session.pk, reason=reason))
    return bool(ended)
