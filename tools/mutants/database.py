"""The test database: migrated once, copied for each new process, and never shared over a fork."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.core import management
from django.db import connection, connections


@contextmanager
def migrated_once(copy: Path) -> Iterator[None]:
    """Copy the SQLite database to *copy* after its migrations. If the copy exists, begin with it and do not migrate.

    A server's database is migrated by each process, because each has its own.
    """
    call_command = management.call_command

    def migrate_or_restore(name: Any, *arguments: Any, **options: Any) -> Any:
        is_migration = name == "migrate" and connection.vendor == "sqlite"
        if is_migration and copy.exists():
            return _copy_database(copy, is_restored=True)
        result = call_command(name, *arguments, **options)
        if is_migration:
            _copy_database(copy, is_restored=False)
        return result

    with patch.object(management, "call_command", migrate_or_restore):
        yield


def _copy_database(copy: Path, *, is_restored: bool) -> None:
    connection.ensure_connection()
    with closing(sqlite3.connect(copy)) as file:
        if is_restored:
            file.backup(connection.connection)
        else:
            connection.connection.backup(file)


def close() -> None:
    """Close the connections to servers before a fork. A child would share them with its parent."""
    for opened in connections.all(initialized_only=True):
        if opened.vendor != "sqlite":
            opened.close()


def is_on_a_server() -> bool:
    """Return whether an ended child may have left rows for the next one."""
    return connection.vendor != "sqlite"
