"""The end of sessions: one, all others or all. Each end is recorded in the transaction of the change."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from auth_core.authority import check_over
from auth_core.contracts import Transport
from auth_core.events import AuthEvent, Event, record
from auth_core.runtime.batches import deleting_in_batches
from auth_core.users import AccountLike, UserLike
from auth_sessions import session_statement
from auth_sessions.conf import sessions
from auth_sessions.models import Session
from auth_sessions.revocation import snapshots

#: The columns that ending a session reads.
ENDED_BY = ("pk", "token_digest", "application_id")

#: The reason of sessions that end because the person who acted in them was disabled or signed out everywhere.
ACTOR_ENDED = "actor_ended"


def end_session(*, session_id: UUID, user: UserLike, reason: str, actor: UserLike | None = None) -> bool:
    """End a session. Return whether this call ended it.

    Its snapshot is deleted after the commit and before the answer.

    Args:
        session_id: Public id.
        user: The owner. A session of another user is not found.
        reason: A closed word for the audit trail.
        actor: The user who ends it, if it is not the owner.

    Raises:
        PermissionRefused: *user* holds more permissions than *actor*.
    """
    check_over(actor, user)
    session = Session.objects.of(user).filter(pk=session_id).only(*ENDED_BY).first()
    if session is None:
        return False
    ended = _end(session, user, reason, actor)
    snapshots.forget(session.token_digest)
    return ended


def end_current_session(*, session_id: UUID, user: UserLike, reason: str) -> bool:
    """End the session in which *user* makes this request, as `end_session`. Return whether this call ended it.

    On PostgreSQL it takes one statement, and no savepoint. So call it inside a transaction, and let every exception
    roll that back: the end of a session must not be committed without its entry.
    """
    ended = session_statement.end_session(session_id=session_id, user=user, reason=reason, at=timezone.now())
    if ended is None:
        # Another call ended it, or the database has no such statement.
        return end_session(session_id=session_id, user=user, reason=reason)
    _record_end(ended.application_id, session_id, user, reason)
    snapshots.forget(ended.token_digest)
    return True


def end_other_sessions(*, user: UserLike, keep: UUID | None, reason: str, actor: UserLike | None = None) -> int:
    """End all sessions of *user* except *keep*, and those in which *user* acts for another person.

    Return how many sessions of *user* this call ended. Raises as `end_session`.
    """
    others = Session.objects.of(user).unended().exclude(pk__in=[keep] if keep else []).only(*ENDED_BY)
    ended = end_these(sessions_to_end=list(others), user=user, reason=reason, actor=actor)
    end_acted_sessions(user=user, actor=actor)
    return ended


def end_acted_sessions(*, user: UserLike, actor: UserLike | None = None) -> int:
    """End the sessions of other people in which *user* acts. Return how many this call ended.

    They rest on the account and the credentials of *user*. There is no check of authority over the people whose
    sessions they are: an administrator who may end the sessions of *user* ends all that *user* can do.

    Args:
        actor: The user who ends them, if it is not *user*.
    """
    acted = list(Session.objects.acted_in_by(user).unended().select_related("user"))
    by = user if actor is None else actor
    ended = sum(_end(session, session.user, ACTOR_ENDED, by) for session in acted if session.user is not None)
    snapshots.forget(*(session.token_digest for session in acted))
    return ended


def end_these(
    *,
    sessions_to_end: Sequence[Session],
    user: UserLike,
    reason: str,
    actor: UserLike | None = None,
    at: datetime | None = None,
) -> int:
    """End sessions of *user* that were already read. Return how many this call ended.

    Their snapshots are deleted together.

    Args:
        at: The end time, if another clock decides (see `concurrency`).

    Raises:
        PermissionRefused: *user* holds more permissions than *actor*.
    """
    check_over(actor, user)
    ended = sum(_end(session, user, reason, actor, at) for session in sessions_to_end)
    # Include sessions that another call ended. Their snapshots may still be in the cache.
    snapshots.forget(*(session.token_digest for session in sessions_to_end))
    return ended


def end_all_sessions(*, user: UserLike, reason: str, actor: UserLike | None = None) -> int:
    """End all sessions of *user*. Return how many this call ended. Raises as `end_session`."""
    return end_other_sessions(user=user, keep=None, reason=reason, actor=actor)


def rotate_sessions(*, user: UserLike) -> int:
    """Mark the browser sessions of *user* for a new credential at their next request. Return how many.

    A credential that leaked before a privilege was granted must not gain the privilege (ASVS 7.2.4). A caller with a
    token keeps its credential, because there is no way to send it a new one.
    """
    browsers = Session.objects.of(user).unended().filter(transport=Transport.COOKIE.value)
    digests = list(browsers.values_list("token_digest", flat=True))
    rotating = browsers.filter(token_digest__in=digests).update(rotates=True) if digests else 0
    snapshots.forget(*digests)
    return rotating


def keep_session(*, session_id: UUID, user: AccountLike) -> None:
    """Keep a session valid after a password change: the one in which the password was changed."""
    session = Session.objects.of(user).unended().filter(pk=session_id)
    for token_digest in session.values_list("token_digest", flat=True):
        session.update(auth_hash=user.get_session_auth_hash())
        snapshots.forget(token_digest)


def delete_dead() -> int:
    """Delete rows that ended or expired long ago. Return how many. This is housekeeping only."""
    return sum(deleting_dead(older_than=sessions.KEEP_DEAD))


def deleting_dead(*, older_than: timedelta) -> Iterator[int]:
    """Delete rows that ended or expired that long ago. Yield the number of each batch, committed separately.

    Two queries, each in the order of its index. A single query with OR would read the whole table.
    """
    long_ago = timezone.now() - older_than
    for moment in ("ended_at", "expires_at"):
        yield from deleting_in_batches(Session.objects.filter(**{f"{moment}__lt": long_ago}).order_by(moment))


def _end(session: Session, user: UserLike, reason: str, actor: UserLike | None, at: datetime | None = None) -> bool:
    """End one session with one conditional statement. Of two parallel calls only one records it."""
    with transaction.atomic():
        ended = Session.objects.filter(pk=session.pk, ended_at=None).update(
            ended_at=at or timezone.now(), ended_reason=reason
        )
        if ended:
            _record_end(session.application_id, session.pk, user, reason, actor)
    return bool(ended)


def _record_end(
    application: UUID | None, session: UUID, user: UserLike, reason: str, actor: UserLike | None = None
) -> None:
    record(
        Event(
            name=AuthEvent.SESSION_ENDED,
            subject=user,
            actor=actor,
            session=session,
            application=application,
            reason=reason,
        )
    )
