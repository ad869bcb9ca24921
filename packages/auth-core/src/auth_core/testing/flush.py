"""A quick ``flush`` after each test that commits.

Django's `TransactionTestCase` flushes the database after each test: it empties every table and sends ``post_migrate``, whose
receivers then make the same content types and permissions again. In a site with many models that takes longer than most
tests. Within `quick_flush` the first flush is Django's. The following ones delete rows only from tables that have some, and
put back the rows that ``post_migrate`` made where a test changed them.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.core.management.commands import flush
from django.db import connections, transaction

#: The rows of some tables, by the name of the table.
Contents = dict[str, list[tuple[Any, ...]]]


@contextmanager
def quick_flush() -> Iterator[None]:
    """Flush quickly inside the block. A flush that resets sequences, as the command does by itself, stays Django's."""
    made_by_migrations: dict[tuple[str, str], Contents] = {}
    emit: Callable[..., None] = flush.emit_post_migrate_signal  # type: ignore[attr-defined]  # the stubs have only the command
    django_sql: Callable[..., list[str]] = flush.sql_flush  # type: ignore[attr-defined]  # as above

    def sql_flush(
        style: Any, connection: Any, *, reset_sequences: bool = True, allow_cascade: bool = False
    ) -> list[str]:
        if reset_sequences or allow_cascade:
            made_by_migrations.pop(_database(connection), None)
            return django_sql(style, connection, reset_sequences=reset_sequences, allow_cascade=allow_cascade)
        kept = made_by_migrations.get(_database(connection), {})
        emptied = [connection.ops.quote_name(table) for table in _tables_with_rows(connection) if table not in kept]
        # Django sends no signal after an empty list.
        return [f"DELETE FROM {table}" for table in emptied] or ["SELECT 1"]  # noqa: S608 - the names of models

    def emit_post_migrate_signal(verbosity: int, interactive: bool, db: str, **kwargs: Any) -> None:
        connection = connections[db]
        made = made_by_migrations.get(_database(connection))
        if made is None:
            emit(verbosity, interactive, db, **kwargs)
            made_by_migrations[_database(connection)] = _contents(connection, _tables_with_rows(connection))
        else:
            _put_back(connection, made)

    with (
        patch.object(flush, "sql_flush", sql_flush),
        patch.object(flush, "emit_post_migrate_signal", emit_post_migrate_signal),
    ):
        yield


def _database(connection: Any) -> tuple[str, str]:
    return connection.alias, str(connection.settings_dict["NAME"])


def _tables_with_rows(connection: Any) -> list[str]:
    """Return the tables of models that have rows, by one statement."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    if not tables:
        return []
    name = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT {number} WHERE EXISTS (SELECT 1 FROM {name(table)})"  # noqa: S608 - the names of models
                for number, table in enumerate(tables)
            )
        )
        return [tables[number] for (number,) in cursor.fetchall()]


def _contents(connection: Any, tables: Iterable[str]) -> Contents:
    contents: Contents = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - the names of models
            contents[table] = sorted(cursor.fetchall(), key=repr)
    return contents


def _put_back(connection: Any, made: Contents) -> None:
    """Replace the rows of the tables in *made* that differ. Foreign keys are checked at the commit."""
    changed = [table for table, rows in _contents(connection, made).items() if rows != made[table]]
    if changed:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for table in changed:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608 - the names of models
                marks = ", ".join(["%s"] * len(made[table][0]))
                cursor.executemany(f"INSERT INTO {connection.ops.quote_name(table)} VALUES ({marks})", made[table])  # noqa: S608 - as above
