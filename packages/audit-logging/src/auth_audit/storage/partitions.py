"""Partitions by month, made ahead (PostgreSQL); a default one catches what has none.

The table is partitioned by its own key: a UUIDv7 begins with the time it was made, so
that a month is a range of ids, and the key stays one column.
"""

import logging
from datetime import UTC, datetime
from uuid import UUID

from django.db import DatabaseError, connections, router, transaction
from django.utils import timezone

from auth_audit.conf import audit
from auth_audit.models import AuditEntry
from auth_audit.storage import guards
from auth_core.ids import first_uuid7_at

logger = logging.getLogger(__name__)

_MAKE = "CREATE TABLE IF NOT EXISTS {partition} PARTITION OF {table} FOR VALUES FROM ('{first}') TO ('{end}')"

#: Of an advisory lock: two processes that make one partition wait for each other instead of failing.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('auth_audit.storage.partitions'))"


def make_ahead(alias: str = "") -> int:
    """Make the partitions of this month and of those ahead that do not stand; return how many were made.

    A month that cannot be made (rows of it are in the default partition already, or the
    table is busy) is logged and left for the next time: entries are kept in the default
    partition meanwhile, and neither a migration nor the other months wait for it.

    Args:
        alias: The database; empty: the one that entries are written to.
    """
    alias = alias or router.db_for_write(AuditEntry)
    return sum(_make(month, alias) for month in _missing(alias))


def missing(alias: str = "") -> list[str]:
    """Return the partitions that should stand and do not."""
    return [_name_of(month) for month in _missing(alias or router.db_for_write(AuditEntry))]


def names(alias: str = "") -> list[str]:
    """Return the partitions that stand, the default one among them."""
    connection = connections[alias or router.db_for_write(AuditEntry)]
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        return sorted(set(guards.tables(cursor)) - {guards.TABLE})


def _missing(alias: str) -> list[datetime]:
    if connections[alias].vendor != "postgresql":
        return []
    standing = names(alias)
    return [month for month in _wanted() if _name_of(month) not in standing]


def _wanted() -> list[datetime]:
    months = [_month_of(timezone.now())]
    for _number in range(audit.MONTHS_AHEAD):
        months.append(_next(months[-1]))
    return months


def make(month: datetime, alias: str) -> None:
    """Make the partition of *month*, which begins there, unless it stands; in the transaction that is open.

    Raises:
        DatabaseError: rows of it are in the default partition, or the table is busy.
    """
    connection = connections[alias]
    sql = _MAKE.format(
        partition=connection.ops.quote_name(_name_of(month)),
        table=connection.ops.quote_name(guards.TABLE),
        first=first_id(month),
        end=first_id(_next(month)),
    )
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)
        cursor.execute(sql)
        guards.lay_on(_name_of(month), alias)


def first_id(month: datetime) -> UUID:
    """Return the smallest id that an entry of *month* can have."""
    return first_uuid7_at(month)


def _make(month: datetime, alias: str) -> bool:
    try:
        with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
            # Attaching looks through the default partition under a lock; nobody waits for it longer than this.
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            make(month, alias)
    except DatabaseError:
        logger.exception("The audit partition %s could not be made.", _name_of(month))
        return False
    return True


def _name_of(month: datetime) -> str:
    return f"{guards.TABLE}_{month:%Y_%m}"


def _month_of(moment: datetime) -> datetime:
    return datetime(moment.year, moment.month, 1, tzinfo=UTC)


def _next(month: datetime) -> datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
