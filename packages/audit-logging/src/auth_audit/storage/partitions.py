"""Partitions by month, created ahead (PostgreSQL). A default partition takes entries without one.

The partition key is the primary key. A UUIDv7 begins with its time, so a month is a range of ids. The keys of
personal values have partitions of the same ranges, because their ids have the times of their entries.
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

#: An advisory lock, so that two processes that create the same partition wait for each other instead of
#: failing.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('auth_audit.partitions'))"


def make_ahead(alias: str = "") -> int:
    """Create the missing partitions of this month and the coming months.

    A month that cannot be created is logged and tried again next time: its rows are already in the default
    partition, or the table is locked. Its entries go to the default partition meanwhile, so neither a migration
    nor another month fails.

    Args:
        alias: The database. Empty means the one that entries are written to.

    Returns:
        The number of months whose partitions were created.
    """
    alias = alias or router.db_for_write(AuditEntry)
    return sum(_try_to_make(month, alias) for month in _missing(alias))


def missing(alias: str = "") -> list[str]:
    """Return the names of partitions that should exist and do not."""
    alias = alias or router.db_for_write(AuditEntry)
    existing = names(alias)
    return [name for month in _missing(alias) for name in _names_of(month) if name not in existing]


def is_partitioned(alias: str) -> bool:
    """Return whether the tables of the trail are partitioned (PostgreSQL).

    They are not if they were created without migrations (``MIGRATION_MODULES``, or ``--nomigrations`` of pytest-django).
    """
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relname = ANY(%s) AND relkind = 'p' AND pg_table_is_visible(oid)",
            [[*guards.PARTITIONED]],
        )
        (count,) = cursor.fetchone()
    return bool(count == len(guards.PARTITIONED))


def names(alias: str = "") -> list[str]:
    """Return the names of all partitions, with the default one."""
    connection = connections[alias or router.db_for_write(AuditEntry)]
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        return sorted(
            {name for table in guards.PARTITIONED for name in guards.tables(cursor, table)} - {*guards.PARTITIONED}
        )


def _missing(alias: str) -> list[datetime]:
    if connections[alias].vendor != "postgresql" or not is_partitioned(alias):
        return []
    existing = set(names(alias))
    return [month for month in _expected_months() if not existing.issuperset(_names_of(month))]


def _expected_months() -> list[datetime]:
    months = [_month_of(timezone.now())]
    for _number in range(audit.MONTHS_AHEAD):
        months.append(_next(months[-1]))
    return months


def make(month: datetime, alias: str) -> None:
    """Create the partitions of *month* in the open transaction, unless they exist.

    Args:
        month: The first moment of the month.
        alias: The database.

    Raises:
        DatabaseError: Its rows are already in the default partition, or the table is locked.
    """
    first, end = first_id(month), first_id(_next(month))
    with connections[alias].cursor() as cursor:
        cursor.execute(_LOCK)
        for table, partition in zip(guards.PARTITIONED, _names_of(month), strict=True):
            cursor.execute(_MAKE.format(partition=partition, table=table, first=first, end=end))
            guards.install_on_partition(partition, alias)


def first_id(month: datetime) -> UUID:
    """Return the smallest possible id of an entry of *month*."""
    return first_uuid7_at(month)


def _try_to_make(month: datetime, alias: str) -> bool:
    try:
        with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
            # Attaching scans the default partition under a lock. Writers wait no longer than this.
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            make(month, alias)
    except DatabaseError:
        logger.exception("The audit partitions %s could not be created.", " and ".join(_names_of(month)))
        return False
    return True


def _names_of(month: datetime) -> list[str]:
    """Return the names of the partitions of *month*, one of each table."""
    return [f"{table}_{month:%Y_%m}" for table in guards.PARTITIONED]


def _month_of(moment: datetime) -> datetime:
    return datetime(moment.year, moment.month, 1, tzinfo=UTC)


def _next(month: datetime) -> datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
