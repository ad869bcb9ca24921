"""The epoch of the snapshot cache: which snapshots are valid, and when a revocation has reached every process.

One row in the database holds the epoch: a value that every snapshot carries, and the run id of the one trusted Redis
process. Every process reads the row once a second, outside requests. It uses a snapshot only if its last reading began
less than `EPOCH_TRUST` ago, the snapshot carries the current value, and the trusted Redis answered.

A revocation deletes the snapshot. If the deletion is not certain (no answer, or an answer from another Redis than the
row names), the process raises the epoch and answers only when no process can still use the old one. So no ended session
comes back: not from a Redis that restarts with old data, a failover that lost its last second, a replica, or a process
that alone cannot reach Redis (decision record 0007).
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, connections, router
from django.db.models import CharField, Value
from django.db.models.functions import Now

from auth_core.runtime import prepared_statements
from auth_core.runtime.redis_cache import CacheLost, SharedCache, shared_cache
from auth_core.runtime.worker_thread import Background
from auth_sessions.conf import sessions
from auth_sessions.controls import Control
from auth_sessions.models.cache_epoch import ONLY, CacheEpoch

#: How often a process reads the row.
_READ_INTERVAL = timedelta(seconds=1)

#: How much longer than `EPOCH_TRUST` a revocation waits, because clocks of two machines do not tick alike.
_CLOCK_MARGIN = timedelta(milliseconds=100)

#: How long after a raise no other Redis is trusted. Otherwise a Redis that only some processes reach would cause
#: flapping.
_PAUSE_AFTER_RAISE = timedelta(seconds=3)

#: The reason of the first epoch of a database.
_FIRST_EPOCH = "begun"

#: Identifier and timeline of the PostgreSQL cluster. Both change with a restore, which brings back an old row.
_DATABASE_IDENTITY = (
    "(SELECT system_identifier::text FROM pg_control_system())"
    " || ':' || (SELECT timeline_id::text FROM pg_control_checkpoint())"
)


@dataclass(frozen=True, slots=True)
class EpochReading:
    """The epoch as this process last read it.

    Args:
        value: The prefix of valid snapshots.
        run: Run id of the trusted Redis. Empty: none is trusted.
        read_at: When the reading began, in seconds of this process's monotonic clock.
    """

    value: bytes
    run: str
    read_at: float


@dataclass(frozen=True, slots=True)
class _Row:
    """The epoch's row in the database.

    Args:
        value: The epoch.
        run: Run id of the trusted Redis. Empty: none is trusted.
        age: Time since the epoch was raised, by the clock of the database.
        reason: Why it was raised.
        history: Identity of the database in which it was raised.
        present: Identity of the database that answered.
    """

    value: UUID
    run: str
    age: timedelta
    reason: str
    history: str
    present: str


class _Process:
    """The last reading of this process. It is replaced as a whole, so that no thread sees a partial update."""

    reading: EpochReading | None = None


def value() -> bytes | None:
    """Return the prefix of the snapshots that may be used now. ``None``: read the database."""
    _keep_reading()
    reading = _Process.reading
    return reading.value if reading is not None and reading.run and _is_fresh(reading) else None


def is_believed(under: bytes, run: str) -> bool:
    """Tell whether an answer of *run* under this prefix may be used. To be called after the answer arrived.

    A process that was suspended between request and answer must not use an outdated answer.
    """
    reading = _Process.reading
    return reading is not None and reading.value == under and reading.run == run != "" and _is_fresh(reading)


def confirm(run: str) -> None:
    """Return when no process can use the snapshots that were just deleted.

    To be called after the change is committed. An epoch that is raised from then on fills the cache with rows that show
    the change.

    Args:
        run: Run id of the Redis that acknowledged the deletion. Empty: none did.
    """
    row = _read()
    if row.run and row.run != run:
        _raise(row, run="", reason="unacknowledged")
        _wait(_waiting_period())
    else:
        # The deletion is certain, or no Redis is trusted. That holds for every process once the last raise is older
        # than any reading that a process may still use.
        _wait(_waiting_period() - row.age)


def raise_epoch(*, reason: str) -> None:
    """Invalidate every snapshot, and return when no process uses any. For operators, after a restore.

    Only tests call it so far. The command for operators that restore a backup will.

    Args:
        reason: A closed word, stored with the row.
    """
    _raise(_read(), run="", reason=reason)
    _wait(_waiting_period())


def read_now() -> bool:
    """Read the row, and raise the epoch if the database or the Redis is another one. The work of the reader thread.

    Returns:
        Whether the epoch was raised, so that the row must be read again.
    """
    began = time.monotonic()
    row = _read()
    _Process.reading = EpochReading(_prefix(row.value), row.run, began)
    if row.history != row.present:
        # A restore brought back an old epoch, and with the rows the sessions that were revoked since.
        _raise(row, run="", reason="restored" if row.history else _FIRST_EPOCH)
        return True
    cache = shared_cache(sessions.cache_url, serves=Control.SESSION_CACHE)
    is_another = not row.run or (cache is not None and cache.last_run not in {"", row.run})
    return cache is not None and is_another and _may_trust_another(row) and _trust_another(row, cache)


def forget_reading() -> None:
    """Discard the last reading, as in a new process. For tests."""
    _Process.reading = None


def _trust_another(row: _Row, cache: SharedCache) -> bool:
    """Trust the Redis that answers now if it is a master. A replica may lag behind its master."""
    try:
        server = cache.server()
    except CacheLost:
        return False
    if not server.is_master or server.run in {"", row.run}:
        return False
    _raise(row, run=server.run, reason="another_run")
    return True


def _may_trust_another(row: _Row) -> bool:
    """Tell whether another Redis may be trusted already. The first one needs no waiting period."""
    return _is_alone() or row.reason in {"", _FIRST_EPOCH} or row.age >= _PAUSE_AFTER_RAISE


def _keep_reading() -> None:
    """Start the reader thread, or read in this thread if no other process shares the cache."""
    if not _is_alone():
        if not reader.is_running:
            reader.wake()
        return
    cache, reading = shared_cache(sessions.cache_url, serves=Control.SESSION_CACHE), _Process.reading
    if reading is None or cache is None or reading.run == "" or cache.last_run not in {"", reading.run}:
        while read_now():
            continue


def _read() -> _Row:
    columns = _read_prepared() if _has_identity() else _read_with_the_orm()
    if columns is None:
        CacheEpoch.objects.bulk_create([CacheEpoch()], ignore_conflicts=True)
        return _read()
    stored, run, raised_at, now, reason, history, present = columns
    return _Row(stored, run, now - raised_at, reason, history, present)


def _read_prepared() -> tuple[Any, ...] | None:
    """Return the row on PostgreSQL. Each revocation waits for this statement, and the ORM would compile it again."""
    rows = prepared_statements.put(connections[router.db_for_read(CacheEpoch)], _STATEMENT, [ONLY], uses_before=1)
    return rows[0] if rows else None


_STATEMENT = (
    f"SELECT value, run, raised_at, statement_timestamp(), reason, history, {_DATABASE_IDENTITY}"  # noqa: S608 - names of our own
    f" FROM {CacheEpoch._meta.db_table} WHERE {CacheEpoch._meta.pk.column} = %s"
)


def _read_with_the_orm() -> tuple[Any, ...] | None:
    empty = Value("", output_field=CharField())
    rows = CacheEpoch.objects.filter(pk=ONLY).annotate(now=Now(), present=empty)
    return rows.values_list("value", "run", "raised_at", "now", "reason", "history", "present").first()


def _raise(row: _Row, *, run: str, reason: str) -> None:
    """Replace the epoch. If another process was faster, its new value came after our commit and serves as well."""
    CacheEpoch.objects.filter(pk=ONLY, value=row.value).update(
        value=uuid4(), run=run, raised_at=Now(), reason=reason, history=row.present
    )
    if _is_alone():
        _Process.reading = None


def _has_identity() -> bool:
    return connection.vendor == "postgresql"


def _prefix(stored: UUID) -> bytes:
    return stored.hex.encode() + b":"


def _is_fresh(reading: EpochReading) -> bool:
    return _is_alone() or time.monotonic() - reading.read_at < sessions.EPOCH_TRUST.total_seconds()


def _is_alone() -> bool:
    return sessions.EPOCH_READER == "alone"


def _waiting_period() -> timedelta:
    return sessions.EPOCH_TRUST + _CLOCK_MARGIN


def _wait(duration: timedelta) -> None:
    """Wait until every other process has read the row again or trusts nothing. Without other processes return at once."""
    if not _is_alone() and duration > timedelta(0):
        time.sleep(duration.total_seconds())


reader = Background("auth_sessions.revocation.epochs", read_now, every=_READ_INTERVAL)
