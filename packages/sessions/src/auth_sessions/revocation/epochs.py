"""Which snapshots this process may believe, and when a revocation has reached every other.

One row in the database holds the epoch: a value that snapshots carry, and the run id of
the one Redis process that is believed. Every process reads it once a second, outside
requests. It believes a snapshot only if its last reading began less than `EPOCH_TRUST`
ago, if the snapshot carries that value, and if that very Redis answered.

A revocation deletes its snapshot. Whoever cannot be sure of that (no answer, or the
answer of another Redis than the row names) raises the epoch, and answers only when no
process can still believe the former one. So neither a Redis that comes back with what
it held, nor a failover that lost its last second, nor a replica, nor a process that
alone cannot reach Redis brings anything back (decision record 0007).
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import CharField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from auth_core.runtime.redis_cache import CacheLost, SharedCache, shared_cache
from auth_core.runtime.worker_thread import Background
from auth_sessions.conf import sessions
from auth_sessions.controls import Control
from auth_sessions.models.cache_epoch import ONLY, CacheEpoch

#: How often a process reads the row.
_EVERY = timedelta(seconds=1)

#: How much longer than `EPOCH_TRUST` a revocation waits: the clocks of two machines do not tick alike.
_MARGIN = timedelta(milliseconds=100)

#: How long after a raise nobody turns to another Redis: one that only some can reach would flap.
_REST = timedelta(seconds=3)

#: Why the epoch was raised in a database that never had one.
_BEGUN = "begun"

#: The cluster and its timeline: both are others after a restore, and the row is then one of before.
_HISTORY = (
    "(SELECT system_identifier::text FROM pg_control_system())"
    " || ':' || (SELECT timeline_id::text FROM pg_control_checkpoint())"
)


@dataclass(frozen=True, slots=True)
class Known:
    """What this process has read of the row.

    Args:
        value: What snapshots begin with.
        run: The Redis that is believed; empty: none is.
        read_at: When the reading began, on this process's monotonic clock, in seconds.
    """

    value: bytes
    run: str
    read_at: float


@dataclass(frozen=True, slots=True)
class _Row:
    """The row as the database has it, with what it says beside it.

    Args:
        age: How long ago the epoch was raised, by the clock of the database.
        reason: Why it was raised.
        history: The database that it was raised in.
        present: The database that answered.
    """

    value: UUID
    run: str
    age: timedelta
    reason: str
    history: str
    present: str


class _Process:
    """What this process knows; replaced as a whole, so that no thread sees a half of it."""

    known: Known | None = None


def value() -> bytes | None:
    """Return under which value snapshots may be read now; ``None``: ask the database."""
    _keep_reading()
    known = _Process.known
    return known.value if known is not None and known.run and _is_fresh(known) else None


def is_believed(under: bytes, run: str) -> bool:
    """Say whether what *run* answered under this value may be believed; to be asked after the answer.

    A process that was stopped between question and answer must not take an old answer for a new one.
    """
    known = _Process.known
    return known is not None and known.value == under and known.run == run != "" and _is_fresh(known)


def confirm(run: str) -> None:
    """Return when no process can believe the snapshots that were just deleted.

    To be called after the change is committed: whatever epoch is raised from then on
    fills the cache with rows that show the change.

    Args:
        run: The Redis that acknowledged the deletion; empty: none did.
    """
    row = _read()
    if row.run and row.run != run:
        _raise(row, run="", reason="unacknowledged")
        _wait(_trust())
    else:
        # Deleted where everybody looks, or nobody believes any: true of every process
        # once the last raise is as old as what a process may still go by.
        _wait(_trust() - row.age)


def raise_epoch(*, reason: str) -> None:
    """Have nobody believe what the cache holds, and return when nobody does; for operators, after a restore.

    Args:
        reason: Closed word, kept with the row.
    """
    _raise(_read(), run="", reason=reason)
    _wait(_trust())


def read_now() -> bool:
    """Read the row, and settle it with the database and the Redis that are there; the work of the reading thread.

    Returns:
        Whether something was settled, so that the row is to be read again.
    """
    began = time.monotonic()
    row = _read()
    _Process.known = Known(_prefix(row.value), row.run, began)
    if row.history != row.present:
        # A restore brought back an epoch of before, and whatever was revoked since is live in the rows, too.
        _raise(row, run="", reason="restored" if row.history else _BEGUN)
        return True
    cache = shared_cache(sessions.cache_url, serves=Control.SESSION_CACHE)
    is_another = not row.run or (cache is not None and cache.last_run not in {"", row.run})
    return cache is not None and is_another and _may_turn(row) and _turn(row, cache)


def forget_known() -> None:
    """Know nothing, as a new process; for tests."""
    _Process.known = None


def _turn(row: _Row, cache: SharedCache) -> bool:
    """Believe the Redis that is there now, if it is a master; a replica holds what its master said a moment ago."""
    try:
        server = cache.server()
    except CacheLost:
        return False
    if not server.is_master or server.run in {"", row.run}:
        return False
    _raise(row, run=server.run, reason="another_run")
    return True


def _may_turn(row: _Row) -> bool:
    """Let a Redis rest after a raise; the first one ever has nothing to rest from."""
    return _is_alone() or row.reason in {"", _BEGUN} or row.age >= _REST


def _keep_reading() -> None:
    """See to it that the row is read: by the thread, or here and now where no other process shares the cache."""
    if not _is_alone():
        if not reader.is_running:
            reader.wake()
        return
    cache, known = shared_cache(sessions.cache_url, serves=Control.SESSION_CACHE), _Process.known
    if known is None or cache is None or known.run == "" or cache.last_run not in {"", known.run}:
        while read_now():
            continue


def _read() -> _Row:
    nothing = Value("", output_field=CharField())
    present = RawSQL(_HISTORY, ()) if _has_history() else nothing  # noqa: S611 - ours, nothing from outside in it
    rows = CacheEpoch.objects.filter(pk=ONLY).annotate(now=Now(), present=present)
    found = rows.values_list("value", "run", "raised_at", "now", "reason", "history", "present").first()
    if found is None:
        CacheEpoch.objects.bulk_create([CacheEpoch()], ignore_conflicts=True)
        return _read()
    stored, run, raised_at, now, reason, history, present = found
    return _Row(stored, run, now - raised_at, reason, history, present)


def _raise(row: _Row, *, run: str, reason: str) -> None:
    """Give the epoch another value; whoever was faster has done it for us, later than our change was committed."""
    CacheEpoch.objects.filter(pk=ONLY, value=row.value).update(
        value=uuid4(), run=run, raised_at=Now(), reason=reason, history=row.present
    )
    if _is_alone():
        _Process.known = None


def _has_history() -> bool:
    return connection.vendor == "postgresql"


def _prefix(stored: UUID) -> bytes:
    return stored.hex.encode() + b":"


def _is_fresh(known: Known) -> bool:
    return _is_alone() or time.monotonic() - known.read_at < sessions.EPOCH_TRUST.total_seconds()


def _is_alone() -> bool:
    return sessions.EPOCH_READER == "alone"


def _trust() -> timedelta:
    return sessions.EPOCH_TRUST + _MARGIN


def _wait(duration: timedelta) -> None:
    """Wait until every other process has read the row anew, or believes nothing; where there is none, not at all."""
    if not _is_alone() and duration > timedelta(0):
        time.sleep(duration.total_seconds())


reader = Background("auth_sessions.revocation.epochs", read_now, every=_EVERY)
