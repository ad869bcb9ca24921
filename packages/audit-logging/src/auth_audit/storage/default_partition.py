"""Emptying the default partition (PostgreSQL): entries of months that nobody had made a partition for.

While such rows are in it, PostgreSQL refuses to make the partition of their month. Entries
are moved as they are stored, clock and transaction included: their leaves stay the same.
All of it is one transaction under a lock; whoever would append meanwhile waits.
"""

from datetime import UTC, datetime
from typing import Any

from django.db import connections, router, transaction
from django.utils import timezone

from auth_audit.models import AuditEntry
from auth_audit.storage import guards, partitions

_DEFAULT = f"{guards.TABLE}_default"
_FORMER = f"{guards.TABLE}_former_default"

#: The months of the rows there: the first 48 bits of an id are its milliseconds.
_MONTHS = f"""
SELECT DISTINCT date_trunc('month', to_timestamp(
    ('x' || lpad(replace(left(id::text, 13), '-', ''), 16, '0'))::bit(64)::bigint / 1000.0
) AT TIME ZONE 'UTC') FROM {_DEFAULT}
WHERE id >= %s AND id < %s
"""  # noqa: S608 - names of ours

_STEPS_BEFORE = (
    "SET LOCAL lock_timeout = '10s'",
    f"LOCK TABLE {guards.TABLE} IN ACCESS EXCLUSIVE MODE",
    f"ALTER TABLE {guards.TABLE} DETACH PARTITION {_DEFAULT}",
    f"ALTER TABLE {_DEFAULT} RENAME TO {_FORMER}",
    f"CREATE TABLE {_DEFAULT} PARTITION OF {guards.TABLE} DEFAULT",
)

#: The stamp would give the rows this transaction and this moment.
_MOVE = (
    f"ALTER TABLE {guards.TABLE} DISABLE TRIGGER auth_audit_stamp",
    f"INSERT INTO {guards.TABLE} SELECT * FROM {_FORMER}",  # noqa: S608 - as above
    f"ALTER TABLE {guards.TABLE} ENABLE TRIGGER auth_audit_stamp",
)

#: Before there is nothing of ours, and beyond next year's end only clocks that are wrong.
_FIRST_YEAR, _YEARS_AHEAD = 2020, 2


class NotMoved(Exception):
    """As many rows as there were did not arrive; nothing was changed."""


def empty_default(alias: str = "") -> int:
    """Move what is in the default partition into partitions of its months; return how many entries.

    What a wrong clock dated far away stays where it is.

    Raises:
        NotMoved: fewer rows arrived than left; all is as it was.
        OperationalError: the table was busy for ten seconds.
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
        left = _count(cursor, _DEFAULT)
        cursor.execute(f"DROP TABLE {_FORMER}")
        guards.lay(alias)
    return moved - left


def _months(cursor: Any) -> list[datetime]:
    last = datetime(timezone.now().year + _YEARS_AHEAD, 1, 1, tzinfo=UTC)
    bounds = [partitions.first_id(datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)), partitions.first_id(last)]
    cursor.execute(_MONTHS, bounds)
    return sorted(month.replace(tzinfo=UTC) for (month,) in cursor.fetchall())


def _move(cursor: Any) -> int:
    there = _count(cursor, _FORMER)
    before, moved, after = _MOVE
    cursor.execute(before)
    cursor.execute(moved)
    arrived = int(cursor.rowcount)
    cursor.execute(after)
    if arrived != there:
        raise NotMoved(f"{arrived} of {there} entries arrived.")
    return arrived


def _count(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - a name of ours
    return int(cursor.fetchone()[0])
