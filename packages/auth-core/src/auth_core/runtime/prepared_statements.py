"""Statements that PostgreSQL plans once per connection, for one or two hot paths.

Django does not prepare statements, and its cursor does not allow it.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

try:
    import psycopg
except ImportError:
    psycopg = None  # type: ignore[assignment]  # a site on SQLite alone has none


def put(
    connection: "BaseDatabaseWrapper",
    statement: str,
    values: Sequence[Any] | Mapping[str, Any],
    *,
    uses_before: int = 0,
) -> list[tuple[Any, ...]]:
    """Execute *statement*, prepared if possible. Return its rows, or an empty list if it has none.

    It uses Django's own cursor if queries are logged or wrapped, or if the statement cannot be prepared.

    Args:
        connection: Django's connection.
        statement: The same text each time. Every different text is prepared separately.
        uses_before: How often a connection executes it before it is prepared. 0 for frequent statements. 1 if a
            connection may be opened for a single use, where preparing would cost a second round trip.

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
        # Django sets None, with which psycopg never prepares, even if a cursor asks for it.
        raw.prepare_threshold = uses_before
        numbered = None if isinstance(values, Mapping) else _numbered(statement)
        kind = psycopg.Cursor if numbered is None else psycopg.RawCursor
        with connection.wrap_database_errors, kind(raw) as cursor:
            cursor.execute(numbered or statement, values)
            # `description` would make an object for each column.
            result = cursor.pgresult
            return cursor.fetchall() if result is not None and result.nfields else []
    finally:
        raw.prepare_threshold = threshold


@lru_cache(maxsize=256)
def _numbered(statement: str) -> str | None:
    """Return *statement* with PostgreSQL's own parameters, ``$1`` instead of ``%s``. ``None``: it has a percent sign.

    Psycopg would do the same, but again at each use of a statement with more than fifty parameters.
    """
    parts = statement.split("%s")
    if any("%" in part for part in parts):
        return None
    return "".join(f"{part}${number}" for number, part in enumerate(parts[:-1], 1)) + parts[-1]


def _can_prepare(connection: "BaseDatabaseWrapper") -> bool:
    """Return whether a prepared statement still exists at its next use.

    It does not behind a pooler that assigns a connection per transaction. Django's own setting for that case tells.
    """
    is_watched = connection.queries_logged or connection.execute_wrappers
    is_pooled_by_transaction = connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
    is_psycopg = psycopg is not None and isinstance(connection.connection, psycopg.Connection)
    return is_psycopg and not is_watched and not is_pooled_by_transaction


def _rows(cursor: "CursorWrapper") -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
    return rows
