"""The horizon: the id of the oldest running transaction (`pg_snapshot_xmin`).

PostgreSQL numbers transactions when they first write, and they commit in any order. Entries of transactions
below the horizon are final: they are visible now or never will be. The sealer takes only those, and so skips
none. Any writer in the cluster holds the horizon back. `culprit` returns it.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connections

#: The lock lasts for the transaction, not the session, because PgBouncer may be in between.
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('auth_audit.sealer'))"

_HORIZON = """
SELECT (pg_control_system()).system_identifier::text,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
       clock_timestamp()
"""

#: The transaction at the horizon: of a session, or prepared and forgotten. Both views show transaction ids
#: without their upper 32 bits. Sessions of other users are visible only to members of pg_monitor.
_CULPRIT = """
SELECT pid, datname, xact_start FROM pg_stat_activity
WHERE backend_xid::text::bigint = (pg_snapshot_xmin(pg_current_snapshot())::text::bigint & 4294967295)
UNION ALL
SELECT 0, database, prepared FROM pg_prepared_xacts
WHERE transaction::text::bigint = (pg_snapshot_xmin(pg_current_snapshot())::text::bigint & 4294967295)
"""


@dataclass(frozen=True, slots=True)
class Horizon:
    """The transaction ids of the cluster.

    Args:
        cluster: The system identifier. Transaction ids start again in another cluster. Empty on SQLite.
        oldest: Entries of transactions below this id are final. ``None`` on SQLite, which has one writer.
        next_id: The next transaction id.
        now: Time of the database's clock.
    """

    cluster: str
    oldest: int | None
    next_id: int | None
    now: datetime | None


@dataclass(frozen=True, slots=True)
class Culprit:
    """The transaction that holds the horizon back.

    Args:
        pid: Process id at the server. 0 for a prepared transaction.
        database: Its database, which may be any of the cluster.
        since: When the transaction began.
    """

    pid: int
    database: str
    since: datetime


def current_horizon(alias: str) -> Horizon:
    """Return the current horizon of the database's cluster."""
    if connections[alias].vendor != "postgresql":
        return Horizon("", None, None, None)
    with connections[alias].cursor() as cursor:
        cursor.execute(_HORIZON)
        return Horizon(*cursor.fetchone())


def culprit(alias: str) -> Culprit | None:
    """Return the oldest writing transaction. ``None`` if there is none, or it is not visible to us."""
    if connections[alias].vendor != "postgresql":
        return None
    with connections[alias].cursor() as cursor:
        cursor.execute(_CULPRIT)
        row = cursor.fetchone()
        return Culprit(*row) if row else None


def take_sealer_lock(alias: str) -> bool:
    """Return whether this transaction got the lock of the sealer. SQLite has only one writer anyway."""
    if connections[alias].vendor != "postgresql":
        return True
    with connections[alias].cursor() as cursor:
        cursor.execute(_LOCK)
        (is_locked,) = cursor.fetchone()
        return bool(is_locked)
