"""Inserting: one statement, prepared if possible. Its cost is added to every change.

Every value is sent as text, which PostgreSQL converts to the type of the column. So there is one statement for
as many entries with as many keys of personal values, whichever columns are empty, and it is prepared once.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from django.db import connections, router, transaction

from auth_audit.models import AuditEntry, PersonalKey
from auth_audit.personal.envelope import KeyRow
from auth_core.runtime import prepared_statements

#: Types of JSON values.
_JSON = frozenset({dict, list})

#: Fields that the database sets.
SET_BY_DATABASE = frozenset({"recorded_at", "transaction_id"})


#: A row of the trail, and the keys of its personal values, of which it has two at most.
Entry = tuple[Mapping[str, Any], Sequence[KeyRow]]


def insert(row: Mapping[str, Any], keys: Sequence[KeyRow] = ()) -> None:
    """Insert one row and its keys. See `insert_all`."""
    insert_all([(row, keys)])


def insert_all(entries: Sequence[Entry]) -> None:
    """Insert the rows of *entries* and the keys of their personal values in the open transaction.

    It does not use the ORM's compiler, which would take longer than PostgreSQL itself. On PostgreSQL all rows are
    inserted by one statement, on SQLite by one for each row.

    Args:
        entries: Rows with all columns except those set by the database, by name: a text, JSON, or ``None``.

    Raises:
        DatabaseError: The rows could not be written.
    """
    connection: Any = connections[router.db_for_write(AuditEntry)]
    if connection.vendor == "postgresql":
        keys = [key for _row, keys in entries for key in keys]
        values = [value for key in keys for value in _as_text(key)]
        for row, _keys in entries:
            values += [json.dumps(value) if type(value) in _JSON else value for value in _row_values()(row)]
        # A connection may be used for a single entry, so the first use is not prepared.
        statement = _statement(AuditEntry._meta.db_table, len(keys), len(entries))
        prepared_statements.put(connection, statement, values, uses_before=1)
        return
    with transaction.atomic(using=connection.alias, savepoint=False), connection.cursor() as cursor:
        for row, row_keys in entries:
            for key in row_keys:
                cursor.execute(_key_statement(1), [_as_hex(key.id), _as_hex(key.person_id), *key[2:]])
            values = [field.get_db_prep_save(row[field.attname], connection) for field in written_fields()]
            cursor.execute(_statement(AuditEntry._meta.db_table, 0, 1), values)


def _as_text(key: KeyRow) -> tuple[str | None, ...]:
    """Return the values of *key*, the bytes as PostgreSQL reads them from a text."""
    return (key.id, key.person_id, None if key.address is None else f"\\x{key.address.hex()}", key.key)


def _as_hex(identifier: str | None) -> str | None:
    """Return a UUID as SQLite stores it."""
    return None if identifier is None else identifier.replace("-", "")


@cache
def written_fields() -> tuple[Any, ...]:
    """Return the fields that this package writes. The database sets the others."""
    return tuple(field for field in AuditEntry._meta.concrete_fields if field.name not in SET_BY_DATABASE)


@cache
def _row_values() -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Return a function that returns the values of a row in the order of the statement."""
    return itemgetter(*(field.attname for field in written_fields()))


@cache
def _statement(table: str, keys: int, entries: int) -> str:
    columns = ", ".join(f'"{field.column}"' for field in written_fields())
    marks = ", ".join("%s" for _field in written_fields())
    rows = ", ".join([f"({marks})"] * entries)
    insert_entry = f'INSERT INTO "{table}" ({columns}) VALUES {rows}'  # noqa: S608 - names of our own model
    return f"WITH keys AS ({_key_statement(keys)}) {insert_entry}" if keys else insert_entry


@cache
def _key_statement(keys: int) -> str:
    columns = ", ".join(f'"{field.column}"' for field in PersonalKey._meta.concrete_fields)
    rows = ", ".join(["(%s, %s, %s, %s)"] * keys)
    return f'INSERT INTO "{PersonalKey._meta.db_table}" ({columns}) VALUES {rows}'  # noqa: S608 - as above
