"""Taking the guards away, so that a test can flush its database; reading what was recorded; sealing it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from auth_audit.models import AuditEntry
from auth_audit.seal.sealer import seal
from auth_audit.seal.transaction_horizon import horizon
from auth_audit.storage import guards


class NotATest(Exception):
    """The guards were to be lifted on a database that no test made."""


@contextmanager
def lifted_guards() -> Iterator[None]:
    """Let a test flush or empty the trail; the guards stand again afterwards.

    Raises:
        NotATest: this is not the database of a test run.
    """
    if not _is_test_database():
        raise NotATest
    guards.lift()
    try:
        yield
    finally:
        guards.lay()


def recorded(name: str = "") -> list[AuditEntry]:
    """Return the entries of the trail in order, of one name or all."""
    entries = AuditEntry.objects.order_by("id")
    return list(entries.filter(name=name) if name else entries)


def seal_everything() -> int:
    """Seal what is committed, and wait for whoever else writes in the cluster; return how many were sealed.

    Raises:
        TimeoutError: somebody's transaction stays open.
    """
    target, deadline, sealed = horizon("default").beyond, time.monotonic() + 30, 0
    while time.monotonic() < deadline:
        passed = target is None or (horizon("default").oldest or 0) >= target
        sealed += seal()
        if passed:
            return sealed
        time.sleep(0.05)
    raise TimeoutError("A transaction holds the horizon back.")


@contextmanager
def another_writer() -> Iterator[int]:
    """Hold a transaction of another connection open that has written; yield the pid of its server process.

    On PostgreSQL alone; it holds the horizon back until the block is over.
    """
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT pg_current_xact_id(), pg_backend_pid()")
            _transaction, pid = cursor.fetchone()
        yield pid
    finally:
        other.close()


def _is_test_database() -> bool:
    """Django renames the database while tests run: ``test_…``, or SQLite's own in memory."""
    name = str(connection.settings_dict["NAME"]).rpartition("/")[2]
    return name.startswith(("test_", "file:memorydb_")) or ":memory:" in name
