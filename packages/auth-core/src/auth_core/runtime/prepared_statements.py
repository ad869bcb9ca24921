"""Statements that PostgreSQL plans once per connection: the one or two of a hot path.

Django prepares nothing by itself, and its cursor would not.
"""

from collections.abc import Mapping, Sequence
from typing import Any

try:
    import psycopg
except ImportError:
    psycopg = None  # type: ignore[assignment]  # a site on SQLite alone has none


def put(
    connection: Any, statement: str, values: Sequence[Any] | Mapping[str, Any], *, uses_before: int = 0
) -> list[tuple[Any, ...]]:
    """Put *statement* to the database, prepared where that is possible; return its rows, none where it has none.

    Through Django's own cursor where somebody counts or wraps queries, and where nothing can be prepared.

    Args:
        connection: Django's.
        statement: The same text each time: each is prepared for itself.
        uses_before: How often a connection puts it before it is prepared; 0 where it is put often, 1 where a
            connection may be opened for a single use, which would go to PostgreSQL twice.

    Raises:
        DatabaseError: as Django's cursor does.
    """
    connection.ensure_connection()
    if not _can_prepare(connection):
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return _rows(cursor)
    connection.validate_thread_sharing()
    connection.validate_no_broken_transaction()
    raw = connection.connection
    threshold = raw.prepare_threshold
    try:
        # Django sets none, with which psycopg prepares nothing, whatever a cursor asks for.
        raw.prepare_threshold = uses_before
        with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
            cursor.execute(statement, values)
            return _rows(cursor)
    finally:
        raw.prepare_threshold = threshold


def _can_prepare(connection: Any) -> bool:
    """Say whether a prepared statement is there when it is put again.

    Behind a pooler that gives each transaction another connection it is not: Django's own
    setting for that case says so.
    """
    is_watched = connection.queries_logged or connection.execute_wrappers
    is_pooled_by_transaction = connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
    is_psycopg = psycopg is not None and isinstance(connection.connection, psycopg.Connection)
    return is_psycopg and not is_watched and not is_pooled_by_transaction


def _rows(cursor: Any) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
    return rows
