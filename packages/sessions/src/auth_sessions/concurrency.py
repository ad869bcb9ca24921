"""Limits on the number of concurrent sessions of a user.

The limit is exact. Each login holds a per-user lock until it commits, and takes the start of the new session from the
clock of the database, at the moment at which it ends another one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import connections, models, router
from django.db.models import FilteredRelation, Func, Q, QuerySet, Value
from django.utils import timezone

from auth_core.contracts import LimitReached
from auth_core.registries import facts
from auth_core.users import UserLike
from auth_sessions import lifecycle
from auth_sessions.conf import ASK, LIMIT_POLICIES, sessions
from auth_sessions.models import Session

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler

#: The reason in the audit trail and in the ended sessions.
REASON = "limit"

#: The order in which sessions end, by policy. The other `LIMIT_POLICIES` end none.
_ENDS_FIRST: Mapping[str, Callable[[Session], Any]] = {
    "end_oldest": lambda session: (session.created_at, session.pk),
    "end_least_recent": lambda session: (session.last_seen_at, session.created_at, session.pk),
}

#: The columns that decide which session ends.
_COLUMNS = ("pk", "token_digest", "application_id", "created_at", "last_seen_at", "idle_lifetime", "expires_at")


class _LiveSessions(NamedTuple):
    """The live sessions of one user, and the time of the database at which they were read."""

    moment: datetime
    sessions: list[Session]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The limit that applies to one user.

    Args:
        sessions: Maximum number of concurrent sessions.
        policy: What happens at the limit, one of `LIMIT_POLICIES`.
    """

    sessions: int
    policy: str


class _Clock(Func):
    """The current time of the database. ``now()`` would return the start of the transaction, before it waited."""

    template = "clock_timestamp()"
    output_field = models.DateTimeField()

    def as_sqlite(self, compiler: "SQLCompiler", connection: "BaseDatabaseWrapper", **context: Any) -> Any:
        """Return the SQLite expression, which reads the clock of this machine."""
        template = "STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', 'NOW')"
        return self.as_sql(compiler, connection, template=template, **context)


class _Lock(Func):
    """A per-user advisory lock, held until the transaction ends."""

    function = "pg_advisory_xact_lock"
    output_field = models.TextField()


def is_configured() -> bool:
    """Tell whether any limit may apply. If not, logins make no extra query."""
    return sessions.LIMIT is not None or bool(sessions.LIMITS) or sessions.ALLOWANCES


def make_room(*, user: UserLike) -> datetime | None:
    """Make room for one more session of *user*, inside the transaction that opens it.

    Two queries: the lock together with the user's own allowance, then the live sessions. They cannot be one query
    because a statement sees only what was committed before it began to wait.

    Returns:
        The start of the new session by the clock of the database. ``None``: no limit applies.

    Raises:
        LimitReached: there is no room, and the policy ends no session.
    """
    allowance = _allowance(user, *_locks(user)) if is_configured() else None
    if allowance is None:
        return None
    moment, live = _read(user)
    ending = _sessions_to_end(live, allowance)
    if ending:
        lifecycle.end_these(sessions_to_end=ending, user=user, reason=REASON, at=moment)
    return moment


def asks(*, user: UserLike) -> bool:
    """Tell whether *user* is at the limit and must choose a session to end."""
    allowance = _allowance(user) if is_configured() else None
    return allowance is not None and allowance.policy == ASK and len(_read(user).sessions) >= allowance.sessions


def end_chosen(*, user: UserLike, session_id: object) -> bool:
    """End the session that *user* chose. Return whether it was theirs and live.

    It ends by the clock by which the next session begins.
    """
    moment, live = _read(user)
    chosen = [session for session in live if session.pk == session_id]
    return bool(lifecycle.end_these(sessions_to_end=chosen, user=user, reason=REASON, at=moment))


def _sessions_to_end(live: list[Session], allowance: Allowance) -> list[Session]:
    """Return which of *live* must end to make room for one more.

    Raises:
        LimitReached: the policy ends no session.
    """
    too_many = len(live) + 1 - allowance.sessions
    if too_many <= 0:
        return []
    if allowance.policy not in _ENDS_FIRST:
        raise LimitReached
    return sorted(live, key=_ENDS_FIRST[allowance.policy])[:too_many]


def _allowance(user: UserLike, *locks: Func) -> Allowance | None:
    """Return the limit of *user*, or ``None`` for no limit. One query, plus those of the facts in `LIMITS`.

    Args:
        locks: The lock to take in the same query.
    """
    own = _row_of(user).values_list("auth_session_allowance__policy", "auth_session_allowance__sessions", *locks)
    for policy, number, *_locked in own:
        if policy is not None:
            return None if number is None else Allowance(sessions=number, policy=policy)
    matching = [limit for limit in sessions.LIMITS if _applies_to(user, limit)]
    if not matching and sessions.LIMIT is not None:
        return Allowance(sessions=sessions.LIMIT, policy=sessions.LIMIT_POLICY)
    allowances = (
        Allowance(sessions=limit["sessions"], policy=limit.get("policy", sessions.LIMIT_POLICY)) for limit in matching
    )
    # The smallest limit. Of two equal ones, the stricter policy.
    return min(
        allowances,
        key=lambda allowance: (allowance.sessions, LIMIT_POLICIES.index(allowance.policy)),
        default=None,
    )


def _applies_to(user: UserLike, limit: Mapping[str, Any]) -> bool:
    """Tell whether *limit* applies to *user*: the fact equals the value or contains it."""
    fact = facts.get(limit["fact"])
    value = fact(user) if fact is not None else None
    return limit["value"] in value if isinstance(value, (list, tuple, set, frozenset)) else limit["value"] == value


def _read(user: UserLike) -> _LiveSessions:
    """Return the time by the clock of the database, and the live sessions. One query, with or without sessions.

    Sessions in which another person acts do not count.

    The time is never before the start of an existing session, even if the clock was set back.
    """
    condition = Q(
        auth_sessions__ended_at=None, auth_sessions__expires_at__gt=timezone.now(), auth_sessions__actor_id=None
    )
    joined = _row_of(user).annotate(live=FilteredRelation("auth_sessions", condition=condition), moment=_Clock())
    rows = joined.values_list("moment", *(f"live__{column}" for column in _COLUMNS))
    named = [dict(zip(("moment", *_COLUMNS), row, strict=True)) for row in rows]
    moments = [row.pop("moment") for row in named]
    unended = [Session(**row) for row in named if row["pk"] is not None]
    live = [session for session in unended if session.idle_expires_at > timezone.now()]
    moment = max([*moments, *(session.created_at for session in live)], default=timezone.now())
    return _LiveSessions(moment, live)


def _row_of(user: UserLike) -> QuerySet[Any]:
    """Return a queryset with the row of *user*. The row exists whether or not the user has sessions."""
    return get_user_model()._base_manager.using(router.db_for_write(Session)).filter(pk=user.pk)


def _locks(user: UserLike) -> list[Func]:
    """Return the lock expression. SQLite needs none: it has one writer, whose transaction is the lock (``IMMEDIATE``)."""
    if connections[router.db_for_write(Session)].vendor != "postgresql":
        return []
    name = f"auth_sessions.limits {user.pk}".encode()
    return [_Lock(Value(int.from_bytes(blake2b(name, digest_size=8).digest(), "big", signed=True)))]
