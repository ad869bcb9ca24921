"""How many sessions somebody may have at once, and what happens at the next login.

Exact: whoever opens a session holds the lock of its person until it is committed, and
begins it by the clock of the database, at the moment at which it ended another.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, models, router
from django.db.models import FilteredRelation, Func, Q, QuerySet, Value
from django.utils import timezone

from auth_core.contracts import LimitReached
from auth_core.registries import facts
from auth_sessions import lifecycle
from auth_sessions.conf import ASK, LIMIT_POLICIES, sessions
from auth_sessions.models import Session

#: What stands in the trail and in the row of a session that had to go.
REASON = "limit"

#: Which of somebody's sessions goes first, by policy; the others of `LIMIT_POLICIES` end none.
_GOES_FIRST: Mapping[str, Callable[[Session], Any]] = {
    "end_oldest": lambda session: (session.created_at, session.pk),
    "end_least_recent": lambda session: (session.last_seen_at, session.created_at, session.pk),
}

#: What is read of a session to decide whether it goes.
_COLUMNS = ("pk", "token_digest", "created_at", "last_seen_at", "idle_lifetime", "expires_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What holds for one person.

    Args:
        sessions: So many at once.
        policy: One of `LIMIT_POLICIES`: what happens when there are that many.
    """

    sessions: int
    policy: str


class _Clock(Func):
    """The moment at which the database reads it; ``now()`` would say when its transaction began to wait."""

    template = "clock_timestamp()"
    output_field = models.DateTimeField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Return what SQLite calls it; there is no other clock than this machine's."""
        template = "STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', 'NOW')"
        return self.as_sql(compiler, connection, template=template, **context)


class _Lock(Func):
    """Waits until nobody else opens a session of this person; free when the transaction ends."""

    function = "pg_advisory_xact_lock"
    output_field = models.TextField()


def is_configured() -> bool:
    """Say whether anybody may be limited; if not, no query is asked."""
    return sessions.LIMIT is not None or bool(sessions.LIMITS) or sessions.ALLOWANCES


def make_room(*, user: Any) -> datetime | None:
    """Let *user* have one more session, inside the transaction that opens it.

    Two queries: the lock with the person's own allowance, then what is live. They
    cannot be one: a statement sees what was committed before it began to wait.

    Returns:
        When the new session begins, by the clock of the database; ``None``: it does not matter.

    Raises:
        LimitReached: there is no room, and the policy ends nothing by itself.
    """
    allowance = _allowance(user, *_locks(user)) if is_configured() else None
    if allowance is None:
        return None
    moment, live = _read(user)
    leaving = _leaving(live, allowance)
    if leaving:
        lifecycle.end_these(sessions_to_end=leaving, user=user, reason=REASON, at=moment)
    return moment


def asks(*, user: Any) -> bool:
    """Say whether *user* has no room, and is to say which session ends."""
    allowance = _allowance(user) if is_configured() else None
    return allowance is not None and allowance.policy == ASK and len(_read(user)[1]) >= allowance.sessions


def end_chosen(*, user: Any, session_id: Any) -> bool:
    """End the session that *user* chose, by the clock by which the next one begins; say whether it was theirs and live."""
    moment, live = _read(user)
    chosen = [session for session in live if session.pk == session_id]
    return bool(lifecycle.end_these(sessions_to_end=chosen, user=user, reason=REASON, at=moment))


def _leaving(live: list[Session], allowance: Allowance) -> list[Session]:
    """Return which of *live* have to go so that one more may come.

    Raises:
        LimitReached: the policy ends none.
    """
    too_many = len(live) + 1 - allowance.sessions
    if too_many <= 0:
        return []
    if allowance.policy not in _GOES_FIRST:
        raise LimitReached
    return sorted(live, key=_GOES_FIRST[allowance.policy])[:too_many]


def _allowance(user: Any, *taken: Func) -> Allowance | None:
    """Return what holds for *user*; ``None``: any number. One query, and those of the facts that `LIMITS` ask for.

    Args:
        taken: The lock to take with the same query.
    """
    own = _person(user).values_list("auth_session_allowance__policy", "auth_session_allowance__sessions", *taken)
    for policy, number, *_locked in own:
        if policy is not None:
            return None if number is None else Allowance(sessions=number, policy=policy)
    met = [limit for limit in sessions.LIMITS if _is_met(user, limit)]
    if not met and sessions.LIMIT is not None:
        return Allowance(sessions=sessions.LIMIT, policy=sessions.LIMIT_POLICY)
    named = (Allowance(sessions=limit["sessions"], policy=limit.get("policy", sessions.LIMIT_POLICY)) for limit in met)
    # The smallest; of two alike the one that refuses sooner.
    return min(named, key=lambda one: (one.sessions, LIMIT_POLICIES.index(one.policy)), default=None)


def _is_met(user: Any, limit: Mapping[str, Any]) -> bool:
    """Say whether *limit* is about *user*: the fact is the value, or has it among others."""
    ask = facts.get(limit["fact"])
    known = ask(user) if ask is not None else None
    return limit["value"] in known if isinstance(known, (list, tuple, set, frozenset)) else limit["value"] == known


def _read(user: Any) -> tuple[datetime, list[Session]]:
    """Return the time by the clock of the database, and what is live; one query, with or without sessions.

    No session begins before another that was there first, though the clock be set back.
    """
    condition = Q(auth_sessions__ended_at=None, auth_sessions__expires_at__gt=timezone.now())
    found = _person(user).annotate(live=FilteredRelation("auth_sessions", condition=condition), moment=_Clock())
    rows = list(found.values_list("moment", *(f"live__{column}" for column in _COLUMNS)))
    unended = [Session(**dict(zip(_COLUMNS, row[1:], strict=True))) for row in rows if row[1] is not None]
    live = [session for session in unended if session.idle_expires_at > timezone.now()]
    return max([*(row[0] for row in rows), *(session.created_at for session in live)], default=timezone.now()), live


def _person(user: Any) -> QuerySet[Any]:
    """Return the row of *user*, which is there whether or not they have sessions."""
    return get_user_model()._base_manager.using(router.db_for_write(Session)).filter(pk=user.pk)


def _locks(user: Any) -> list[Func]:
    """Return what takes the lock; SQLite has one writer, whose transaction is the lock (``IMMEDIATE``)."""
    if connections[router.db_for_write(Session)].vendor != "postgresql":
        return []
    name = f"auth_sessions.limits {user.pk}".encode()
    return [_Lock(Value(int.from_bytes(blake2b(name, digest_size=8).digest(), "big", signed=True)))]
