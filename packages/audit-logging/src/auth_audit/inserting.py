"""Inserting: one statement, prepared where that is possible; its cost is the trail's share of every change.

Every value goes as a text, which PostgreSQL reads as the column wants it: so the statement
is one and the same, and is prepared once, whichever columns an entry leaves empty.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from operator import itemgetter
from typing import Any

from django.db import connections, router

from auth_audit.models import AuditEntry

try:
    import psycopg
except ImportError:  # a site on SQLite alone
    psycopg = None  # type: ignore[assignment]

#: Set when the row is stored.
BY_THE_DATABASE = frozenset({"recorded_at", "transaction_id"})

#: How often a connection has put the statement before it prepares it: one that is opened for
#: a single entry would go to PostgreSQL twice.
_BEFORE_IT_IS_PREPARED = 1


def insert(row: Mapping[str, Any]) -> None:
    """Insert *row*, in the transaction that is open.

    Without the ORM's compiler, which would take longer than PostgreSQL does. Through Django's own
    cursor where somebody counts or wraps queries, and where nothing can be prepared.

    Args:
        row: Every column that is not the database's, by its name: a text, a JSON object, or ``None``.

    Raises:
        DatabaseError: it could not be written.
    """
    connection: Any = connections[router.db_for_write(AuditEntry)]
    statement = _statement(AuditEntry._meta.db_table)
    if connection.vendor != "postgresql":
        values = [field.get_db_prep_save(row[field.attname], connection) for field in written()]
    else:
        values = [json.dumps(value) if type(value) is dict else value for value in _in_order()(row)]
        connection.ensure_connection()
        if _can_prepare(connection):
            _put_prepared(connection, statement, values)
            return
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@cache
def written() -> tuple[Any, ...]:
    """Return the columns that we write; the others are the database's."""
    return tuple(field for field in AuditEntry._meta.concrete_fields if field.name not in BY_THE_DATABASE)


def _can_prepare(connection: Any) -> bool:
    """Say whether a prepared statement is there when it is put again.

    Behind a pooler that gives each transaction another connection it is not: Django's own
    setting for that case says so.
    """
    is_watched = connection.queries_logged or connection.execute_wrappers
    is_pooled_by_transaction = connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
    return (
        not is_watched
        and not is_pooled_by_transaction
        and psycopg is not None
        and isinstance(connection.connection, psycopg.Connection)
    )


def _put_prepared(connection: Any, statement: str, values: list[str | None]) -> None:
    """Put the statement past Django's cursor, which prepares nothing, with what it looks at first."""
    connection.validate_thread_sharing()
    connection.validate_no_broken_transaction()
    raw = connection.connection
    threshold = raw.prepare_threshold
    try:
        # Django sets none, with which psycopg prepares nothing.
        raw.prepare_threshold = _BEFORE_IT_IS_PREPARED
        with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
            cursor.execute(statement, values)  # type: ignore[call-overload]  # names are ours
    finally:
        raw.prepare_threshold = threshold


@cache
def _in_order() -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Return what takes the columns out of a row, as the statement names them."""
    return itemgetter(*(field.attname for field in written()))


@cache
def _statement(table: str) -> str:
    columns = ", ".join(f'"{field.column}"' for field in written())
    marks = ", ".join("%s" for _field in written())
    return f'INSERT INTO "{table}" ({columns}) VALUES ({marks})'  # noqa: S608 - names of our model
