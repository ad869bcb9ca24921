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
from auth_core.runtime import prepared_statements

#: Set when the row is stored.
BY_THE_DATABASE = frozenset({"recorded_at", "transaction_id"})


def insert(row: Mapping[str, Any]) -> None:
    """Insert *row*, in the transaction that is open.

    Without the ORM's compiler, which would take longer than PostgreSQL does.

    Args:
        row: Every column that is not the database's, by its name: a text, a JSON object, or ``None``.

    Raises:
        DatabaseError: it could not be written.
    """
    connection: Any = connections[router.db_for_write(AuditEntry)]
    if connection.vendor != "postgresql":
        values = [field.get_db_prep_save(row[field.attname], connection) for field in written()]
    else:
        values = [json.dumps(value) if type(value) is dict else value for value in _in_order()(row)]
    # A connection may be opened for a single entry.
    prepared_statements.put(connection, _statement(AuditEntry._meta.db_table), values, uses_before=1)


@cache
def written() -> tuple[Any, ...]:
    """Return the columns that we write; the others are the database's."""
    return tuple(field for field in AuditEntry._meta.concrete_fields if field.name not in BY_THE_DATABASE)


@cache
def _in_order() -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Return what takes the columns out of a row, as the statement names them."""
    return itemgetter(*(field.attname for field in written()))


@cache
def _statement(table: str) -> str:
    columns = ", ".join(f'"{field.column}"' for field in written())
    marks = ", ".join("%s" for _field in written())
    return f'INSERT INTO "{table}" ({columns}) VALUES ({marks})'  # noqa: S608 - names of our model
