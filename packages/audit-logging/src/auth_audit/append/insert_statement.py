"""Inserting: one statement, prepared if possible. Its cost is added to every change.

Every value is sent as text, which PostgreSQL converts to the type of the column. So there is one statement for
all entries, whichever columns are empty, and it is prepared once.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from operator import itemgetter
from typing import Any

from django.db import connections, router

from auth_audit.models import AuditEntry
from auth_core.runtime import prepared_statements

#: Fields that the database sets.
SET_BY_DATABASE = frozenset({"recorded_at", "transaction_id"})


def insert(row: Mapping[str, Any]) -> None:
    """Insert *row* in the open transaction.

    It does not use the ORM's compiler, which would take longer than PostgreSQL itself.

    Args:
        row: All columns except those set by the database, by name: a text, a JSON object, or ``None``.

    Raises:
        DatabaseError: The row could not be written.
    """
    connection: Any = connections[router.db_for_write(AuditEntry)]
    if connection.vendor != "postgresql":
        values = [field.get_db_prep_save(row[field.attname], connection) for field in written_fields()]
    else:
        values = [json.dumps(value) if type(value) is dict else value for value in _row_values()(row)]
    # A connection may be used for a single entry, so the first use is not prepared.
    prepared_statements.put(connection, _statement(AuditEntry._meta.db_table), values, uses_before=1)


@cache
def written_fields() -> tuple[Any, ...]:
    """Return the fields that this package writes. The database sets the others."""
    return tuple(field for field in AuditEntry._meta.concrete_fields if field.name not in SET_BY_DATABASE)


@cache
def _row_values() -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Return a function that returns the values of a row in the order of the statement."""
    return itemgetter(*(field.attname for field in written_fields()))


@cache
def _statement(table: str) -> str:
    columns = ", ".join(f'"{field.column}"' for field in written_fields())
    marks = ", ".join("%s" for _field in written_fields())
    return f'INSERT INTO "{table}" ({columns}) VALUES ({marks})'  # noqa: S608 - names of our own model
