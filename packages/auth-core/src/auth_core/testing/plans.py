"""Query plans on PostgreSQL: whether an index serves each query, independent of the number of rows."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper


def unindexed(ask: Callable[[], Any]) -> list[str]:
    """Return the plans of the queries of *ask* that use no index."""
    return [plan for plan in plans_of(ask) if "Seq Scan" in plan]


def plans_of(ask: Callable[[], Any]) -> list[str]:
    """Return the plan of each query of *ask*. It is empty for an INSERT and for statements about transactions.

    PostgreSQL prefers a sequential scan for the small tables of a test. With such scans
    disabled, it uses one only where no index helps.
    """
    with CaptureQueriesContext(connection) as queries:
        ask()
    # SET LOCAL needs a transaction, and the test may have none.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plans = [_plan(cursor, query["sql"]) for query in queries.captured_queries]
        cursor.execute("SET LOCAL enable_seqscan = on")
    return plans


def _plan(cursor: "CursorWrapper", sql: str) -> str:
    if not sql.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
        return ""
    cursor.execute(f"EXPLAIN {sql}")
    return "\n".join(line for (line,) in cursor.fetchall())
