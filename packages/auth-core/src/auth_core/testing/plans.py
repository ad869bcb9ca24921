"""Plans of queries (PostgreSQL): whether an index serves them, however many rows there are."""

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext


def unindexed(ask: Callable[[], Any]) -> list[str]:
    """Return the plans of what *ask* reads that no index serves.

    The tables of a test are so small that reading them whole is cheapest; with that
    forbidden, PostgreSQL does it only where there is no other way.
    """
    with CaptureQueriesContext(connection) as queries:
        ask()
    # In a transaction of its own where the test has none: SET LOCAL would mean nothing outside any.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plans = [_plan(cursor, query["sql"]) for query in queries.captured_queries]
        cursor.execute("SET LOCAL enable_seqscan = on")
    return [plan for plan in plans if "Seq Scan" in plan]


def _plan(cursor: Any, sql: str) -> str:
    if not sql.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
        return ""
    cursor.execute(f"EXPLAIN {sql}")
    return "\n".join(line for (line,) in cursor.fetchall())
