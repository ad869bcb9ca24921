"""Up to where nothing can come any more: the oldest transaction that still runs.

PostgreSQL numbers transactions when they first write, and they commit in any order.
What a transaction below the horizon wrote is there or never will be; so the sealer
takes only that, and skips nothing (`pg_snapshot_xmin`). Whatever writes anywhere in the
cluster holds the horizon back: `culprit` says who.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connections

#: Of the advisory lock: one sealer at a time; PgBouncer may stand in between, so it is the transaction's.
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('auth_audit.sealer'))"

_HORIZON = """
SELECT (pg_control_system()).system_identifier::text,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
       clock_timestamp()
"""

#: Who holds the horizon: a session, or a transaction that was prepared and forgotten. Transaction ids are shown
#: without their upper half there. Of other users' sessions only members of pg_monitor are told.
_CULPRIT = """
SELECT pid, datname, xact_start FROM pg_stat_activity
WHERE backend_xid::text::bigint = (pg_snapshot_xmin(pg_current_snapshot())::text::bigint & 4294967295)
UNION ALL
SELECT 0, database, prepared FROM pg_prepared_xacts
WHERE transaction::text::bigint = (pg_snapshot_xmin(pg_current_snapshot())::text::bigint & 4294967295)
"""


@dataclass(frozen=True, slots=True)
class Horizon:
    """Where the cluster stands.

    Args:
        cluster: Which cluster it is; restored elsewhere the numbers of transactions begin anew. Empty: SQLite.
        oldest: What transactions below have written is there for good; ``None``: SQLite, which has one writer.
        beyond: The first number that no transaction has yet.
        now: The database's clock.
    """

    cluster: str
    oldest: int | None
    beyond: int | None
    now: datetime | None


@dataclass(frozen=True, slots=True)
class Culprit:
    """Who holds the horizon back.

    Args:
        pid: Of the server's process; 0: a prepared transaction.
        database: Of the cluster; not only ours.
        since: When the transaction began.
    """

    pid: int
    database: str
    since: datetime


def horizon(alias: str) -> Horizon:
    """Return where the cluster of this database stands."""
    if connections[alias].vendor != "postgresql":
        return Horizon("", None, None, None)
    with connections[alias].cursor() as cursor:
        cursor.execute(_HORIZON)
        return Horizon(*cursor.fetchone())


def culprit(alias: str) -> Culprit | None:
    """Return whose transaction is the oldest that writes; ``None``: nobody's, or one that we are not told of."""
    if connections[alias].vendor != "postgresql":
        return None
    with connections[alias].cursor() as cursor:
        cursor.execute(_CULPRIT)
        row = cursor.fetchone()
        return Culprit(*row) if row else None


def is_only_sealer(alias: str) -> bool:
    """Say whether this transaction is the one that seals; SQLite lets one write anyway."""
    if connections[alias].vendor != "postgresql":
        return True
    with connections[alias].cursor() as cursor:
        cursor.execute(_LOCK)
        return bool(cursor.fetchone()[0])
