"""Helpers for tests: read the recorded entries, and seal them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from auth_audit.models import AuditEntry
from auth_audit.personal.readable_entry import ReadableEntry, read
from auth_audit.seal.sealer import seal
from auth_audit.seal.transaction_horizon import current_horizon


def recorded(name: str = "") -> list[AuditEntry]:
    """Return the entries of the trail in order, optionally of one name."""
    entries = AuditEntry.objects.order_by("id")
    return list(entries.filter(name=name) if name else entries)


def readable(name: str = "") -> list[ReadableEntry]:
    """Read the entries of `recorded` with their personal values."""
    return list(read(recorded(name)).values())


def seal_everything() -> int:
    """Seal all committed entries. Wait for other writers of the cluster. Return the number of sealed entries.

    Raises:
        TimeoutError: A transaction stays open.
    """
    target, deadline, sealed = current_horizon("default").next_id, time.monotonic() + 30, 0
    while time.monotonic() < deadline:
        is_past = target is None or (current_horizon("default").oldest or 0) >= target
        sealed += seal()
        if is_past:
            return sealed
        time.sleep(0.05)
    raise TimeoutError("A transaction stays open, and sealing waits for it.")


@contextmanager
def another_writer() -> Iterator[int]:
    """Keep a transaction of another connection open that has written. Yield the pid of its server process.

    PostgreSQL only. No later transaction can be sealed inside the block.
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
