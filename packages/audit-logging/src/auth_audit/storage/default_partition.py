"""Emptying the default partition (PostgreSQL).

It holds entries of months without a partition. While it has such rows, PostgreSQL refuses to create the
partition of their month. Entries are moved unchanged, with their time and transaction, so their leaves stay the
same. All of this is one transaction under a lock. Appending waits for it.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import connections, router, transaction
from django.utils import timezone

from auth_audit.models import AuditEntry
from auth_audit.storage import guards, partitions

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

_DEFAULT = f"{guards.TABLE}_default"
_FORMER = f"{guards.TABLE}_former_default"

#: The months of its rows. The first 48 bits of an id are its time in milliseconds.
_MONTHS = f"""
SELECT DISTINCT date_trunc('month', to_timestamp(
    ('x' || lpad(replace(left(id::text, 13), '-', ''), 16, '0'))::bit(64)::bigint / 1000.0
) AT TIME ZONE 'UTC') FROM {_DEFAULT}
WHERE id >= %s AND id < %s
"""  # noqa: S608 - our own names

_STEPS_BEFORE = (
    "SET LOCAL lock_timeout = '10s'",
    f"LOCK TABLE {guards.TABLE} IN ACCESS EXCLUSIVE MODE",
    f"ALTER TABLE {guards.TABLE} DETACH PARTITION {_DEFAULT}",
    f"ALTER TABLE {_DEFAULT} RENAME TO {_FORMER}",
    f"CREATE TABLE {_DEFAULT} PARTITION OF {guards.TABLE} DEFAULT",
)

#: The trigger is disabled, because it would set the transaction and time of the move.
_MOVE = (
    f"ALTER TABLE {guards.TABLE} DISABLE TRIGGER auth_audit_stamp",
    f"INSERT INTO {guards.TABLE} SELECT * FROM {_FORMER}",  # noqa: S608 - our own names
    f"ALTER TABLE {guards.TABLE} ENABLE TRIGGER auth_audit_stamp",
)

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
    if connections[alias].vendor != "postgresql":
        return 0
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        months = _months(cursor)
        if not months:
            return 0
        for step in _STEPS_BEFORE:
            cursor.execute(step)
        for month in months:
            partitions.make(month, alias)
        moved = _move(cursor)
        remaining = _count(cursor, _DEFAULT)
        cursor.execute(f"DROP TABLE {_FORMER}")
        guards.install(alias)
    return moved - remaining


def _months(cursor: "CursorWrapper") -> list[datetime]:
    last = datetime(timezone.now().year + _YEARS_AHEAD, 1, 1, tzinfo=UTC)
    bounds = [partitions.first_id(datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)), partitions.first_id(last)]
    cursor.execute(_MONTHS, bounds)
    return sorted(month.replace(tzinfo=UTC) for (month,) in cursor.fetchall())


def _move(cursor: "CursorWrapper") -> int:
    count = _count(cursor, _FORMER)
    disable_trigger, insert, enable_trigger = _MOVE
    cursor.execute(disable_trigger)
    cursor.execute(insert)
    arrived = int(cursor.rowcount)
    cursor.execute(enable_trigger)
    if arrived != count:
        raise NotMoved(f"{arrived} of {count} entries were moved.")
    return arrived


def _count(cursor: "CursorWrapper", table: str) -> int:
    cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - our own name
    (count,) = cursor.fetchone()
    return int(count)
