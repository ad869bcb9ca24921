"""Emptying the default partitions of entries and of the keys of their personal values (PostgreSQL).

They hold rows of months without a partition. While one has such rows, PostgreSQL refuses to create the partition of
their month. Entries are moved unchanged, with their time and transaction, so their leaves stay the same. All of this
is one transaction under a lock. Appending waits for it.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import connections, router, transaction
from django.utils import timezone

from auth_audit.models import AuditEntry
from auth_audit.storage import guards, partitions

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

#: The months of its rows. The first 48 bits of an id are its time in milliseconds.
_MONTHS = """
SELECT DISTINCT date_trunc('month', to_timestamp(
    ('x' || lpad(replace(left(id::text, 13), '-', ''), 16, '0'))::bit(64)::bigint / 1000.0
) AT TIME ZONE 'UTC') FROM {table}_default
WHERE id >= %s AND id < %s
"""

_BEFORE = (
    "LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE",
    "ALTER TABLE {table} DETACH PARTITION {table}_default",
    "ALTER TABLE {table}_default RENAME TO {table}_former_default",
    "CREATE TABLE {table}_default PARTITION OF {table} DEFAULT",
)

_MOVE = "INSERT INTO {table} SELECT * FROM {table}_former_default"

#: The trigger is disabled meanwhile, because it would set the transaction and time of the move.
_STAMP = f"ALTER TABLE {guards.TABLE} {{}} TRIGGER auth_audit_stamp"

#: Entries outside these years come from a wrong clock.
_FIRST_YEAR, _YEARS_AHEAD = 2020, 2


class NotMoved(Exception):
    """Not all rows were moved. The transaction is rolled back."""


def empty_default(alias: str = "") -> int:
    """Move the entries of the default partition into partitions of their months.

    Entries with a date far in the past or future, set by a wrong clock, stay where they are.

    Args:
        alias: The database. Empty means the one that entries are written to.

    Returns:
        The number of moved entries.

    Raises:
        NotMoved: Fewer rows arrived than were read. Nothing is changed.
        OperationalError: The table was locked for ten seconds.
    """
    alias = alias or router.db_for_write(AuditEntry)
    if connections[alias].vendor != "postgresql" or not partitions.is_partitioned(alias):
        return 0
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        months = {month for table in guards.PARTITIONED for month in _months(cursor, table)}
        if not months:
            return 0
        cursor.execute("SET LOCAL lock_timeout = '10s'")
        for step in [step.format(table=table) for table in guards.PARTITIONED for step in _BEFORE]:
            cursor.execute(step)
        for month in sorted(months):
            partitions.make(month, alias)
        cursor.execute(_STAMP.format("DISABLE"))
        moved = [_move(cursor, table) for table in guards.PARTITIONED]
        cursor.execute(_STAMP.format("ENABLE"))
        guards.install(alias)
    return moved[guards.PARTITIONED.index(guards.TABLE)]


def _months(cursor: "CursorWrapper", table: str) -> list[datetime]:
    last = datetime(timezone.now().year + _YEARS_AHEAD, 1, 1, tzinfo=UTC)
    bounds = [partitions.first_id(datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)), partitions.first_id(last)]
    cursor.execute(_MONTHS.format(table=table), bounds)
    return [month.replace(tzinfo=UTC) for (month,) in cursor.fetchall()]


def _move(cursor: "CursorWrapper", table: str) -> int:
    """Move the rows of the former default partition, and drop it. Return how many are in partitions of their months."""
    count = _count(cursor, f"{table}_former_default")
    cursor.execute(_MOVE.format(table=table))
    if cursor.rowcount != count:
        raise NotMoved(f"{cursor.rowcount} of {count} rows of {table} were moved.")
    cursor.execute(f"DROP TABLE {table}_former_default")
    return count - _count(cursor, f"{table}_default")


def _count(cursor: "CursorWrapper", table: str) -> int:
    cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - our own name
    (count,) = cursor.fetchone()
    return int(count)
