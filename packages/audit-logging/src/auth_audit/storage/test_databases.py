"""Which databases a test runner made. Only there may ``manage.py flush`` empty the trail.

Django's `TransactionTestCase` and `LiveServerTestCase` flush the database after each test, and the guards refuse that. They
are removed for the time of the flush if three things are true. No setting makes them true in a running site:

* A test runner has set up Django's test environment in this process. Only code does that.
* The connection is not to the database that the settings named when the app was loaded. A test runner replaces the name
  when it creates its own database.
* The name is the one that Django gives to a test database: ``TEST["NAME"]`` or ``test_`` and the former name, with the
  suffix of a parallel process, or it is SQLite in memory. A project whose tests use an existing database keeps its trail.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.creation import TEST_DATABASE_PREFIX

from auth_audit.storage import guards

#: The names of the databases in the settings, by alias, from before a test runner replaced them.
_configured_names: dict[str, str] = {}


class NotATestDatabase(Exception):
    """The guards are removed only in a database that a test runner made."""


def keep_configured_names() -> None:
    """Remember the names of the databases in the settings. Called when the app is loaded."""
    for alias, settings in connections.settings.items():
        _configured_names.setdefault(alias, str(settings.get("NAME") or ""))


def is_test_database(alias: str = DEFAULT_DB_ALIAS) -> bool:
    """Return whether a test runner made the database that *alias* is connected to."""
    if not _is_test_environment():
        return False
    connection: Any = connections[alias]
    name, configured = str(connection.settings_dict["NAME"]), _configured_names.get(alias)
    if configured is None or name == configured:
        return False
    if connection.vendor == "sqlite" and connection.creation.is_in_memory_db(name):
        return True
    test_name = (connection.settings_dict.get("TEST") or {}).get("NAME") or f"{TEST_DATABASE_PREFIX}{configured}"
    return _has_name(name, str(test_name))


def _is_test_environment() -> bool:
    """Return whether `django.test.utils.setup_test_environment` was called in this process.

    There is no public way to ask. The module is not imported for that, because a running site does not need it.
    """
    state = getattr(sys.modules.get("django.test.utils"), "_TestState", None)
    return hasattr(state, "saved_data")


def _has_name(name: str, test_name: str) -> bool:
    """Return whether *name* is *test_name*, or the copy of it that a parallel process has, such as ``test_shop_2``."""
    if name == test_name:
        return True
    copy, original = PurePath(name), PurePath(test_name)
    return (
        copy.parent == original.parent and copy.stem.startswith(f"{original.stem}_") and copy.suffix == original.suffix
    )


@contextmanager
def without_guards(alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Remove the guards inside the block, so that a test can change or flush the trail.

    Raises:
        NotATestDatabase: A test runner did not make this database.
    """
    if not is_test_database(alias):
        raise NotATestDatabase
    guards.remove(alias)
    try:
        yield
    finally:
        guards.install(alias)
