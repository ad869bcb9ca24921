"""Putting a statement to the database: the one that is written to, prepared where that is possible."""

from datetime import datetime
from typing import Any, Protocol, cast

from django.db import connections, router

from auth_rbac.conf import rbac
from auth_rbac.models import Assignment

try:
    import psycopg
except ImportError:  # a site on SQLite alone
    psycopg = None  # type: ignore[assignment]


class _Rows(Protocol):
    """What both kinds of cursors have."""

    def fetchall(self) -> list[tuple[Any, ...]]: ...


def ask(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return what the database says; never a replica, which may be behind a revocation.

    Django's own cursor where somebody counts or wraps queries, and where nothing can be
    prepared; else psycopg's, for which PostgreSQL plans a statement once per connection.
    """
    connection = _connection()
    connection.ensure_connection()
    raw: Any = connection.connection
    is_watched = connection.queries_logged or connection.execute_wrappers
    if not rbac.PREPARE or is_watched or psycopg is None or not isinstance(raw, psycopg.Connection):
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cast(_Rows, cursor).fetchall()
    connection.validate_no_broken_transaction()
    threshold = raw.prepare_threshold
    try:
        # Django sets none, with which psycopg prepares nothing, whatever a cursor asks for.
        raw.prepare_threshold = 0
        with connection.wrap_database_errors, psycopg.Cursor(raw) as prepared:
            return prepared.execute(statement, values, prepare=True).fetchall()  # type: ignore[arg-type]  # names are ours
    finally:
        raw.prepare_threshold = threshold


def ask_of(user: Any, statement: str, moment: datetime, **values: Any) -> list[tuple[Any, ...]]:
    """Ask about what *user* holds at *moment*."""
    return ask(statement, {**values, "user": key_of_user(user), "now": native_moment(moment)})


def key_of_user(user: Any) -> Any:
    """Return the key of *user* as the database has it."""
    return native_key(user, user.pk)


def native_key(model: Any, key: Any) -> Any:
    """Return a primary key of *model* as the database has it."""
    return model._meta.pk.get_db_prep_value(key, _connection())


def native_moment(moment: datetime) -> Any:
    """Return *moment* as the database has it."""
    return _connection().ops.adapt_datetimefield_value(moment)


def moment_from(stored: Any, like: datetime) -> datetime | None:
    """Return a moment that came out of a statement of ours: SQLite has only text."""
    if stored is None or isinstance(stored, datetime):
        return stored
    return datetime.fromisoformat(stored).replace(tzinfo=like.tzinfo)


def _connection() -> Any:
    return connections[router.db_for_write(Assignment)]
