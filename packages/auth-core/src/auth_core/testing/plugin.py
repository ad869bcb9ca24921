"""A pytest plugin for tests of and beside our packages: ``-p auth_core.testing.plugin``."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.test import Client as Browser

from auth_core.testing.clock import Clock, stopped_clock
from auth_core.testing.postgresql import OwnPostgreSQL
from auth_core.testing.redis import OwnRedis


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line("markers", "postgresql: needs PostgreSQL; not selected where tests run on SQLite")
    config.addinivalue_line("markers", "sqlite: needs SQLite; not selected where tests run on PostgreSQL")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select the tests of the database that this run has; those of the other run in the other run."""
    vendor = django_settings.DATABASES["default"]["ENGINE"].rpartition(".")[2]
    other = "postgresql" if vendor == "sqlite3" else "sqlite"
    left_out = [item for item in items if item.get_closest_marker(other)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True, scope="session")
def flush_by_delete() -> Iterator[None]:
    """Empty tables by DELETE after a test with transactions: TRUNCATE waits for the disk, table by table.

    In one transaction and in any order, because Django's foreign keys are checked when it commits.
    """

    def sql_flush(operations: Any, style: Any, tables: Any, **kwargs: Any) -> list[str]:
        return [f"DELETE FROM {operations.quote_name(table)}" for table in tables]  # noqa: S608 - names of our models

    with pytest.MonkeyPatch.context() as patch:
        if django_settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
            operations = import_module("django.db.backends.postgresql.operations").DatabaseOperations
            patch.setattr(operations, "sql_flush", sql_flush)
        yield


@pytest.fixture(autouse=True)
def keys_of_this_test(settings: Any) -> None:
    """Keep what tests write into the Redis of this run apart; nothing of it is flushed, it may be shared."""
    settings.AUTH_CORE = {**getattr(settings, "AUTH_CORE", {}), "REDIS_PREFIX": f"test-{uuid4()}"}


@pytest.fixture(autouse=True)
def controls_at_rest() -> Iterator[None]:
    """Let no thread record in the database of a test that a control works only in part; what was said is forgotten."""
    from auth_core.runtime import degradation  # noqa: PLC0415 - Django is set up only now

    with patch.object(degradation.recorder, "wake"):
        yield
    degradation.forget()


@pytest.fixture
def own_redis() -> Iterator[OwnRedis]:
    """A Redis of this test alone."""
    with OwnRedis() as server:
        yield server


@pytest.fixture
def shared(settings: Any, own_redis: OwnRedis) -> OwnRedis:
    """Let the packages use `own_redis` as their shared cache."""
    settings.AUTH_CORE = {**settings.AUTH_CORE, "REDIS_URL": own_redis.url}
    return own_redis


@pytest.fixture
def own_postgresql() -> Iterator[OwnPostgreSQL]:
    """A PostgreSQL of this test alone, empty."""
    with OwnPostgreSQL() as server:
        yield server


@pytest.fixture
def recorded_events() -> Iterator[list[Any]]:
    """The events recorded during this test, in order; the test fails when one was recorded outside a transaction."""
    from auth_core.testing.events import recording  # noqa: PLC0415 - Django is set up only now

    with recording() as recorded:
        yield recorded


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The clock, which stands still until the test moves it: ``clock.forward(minutes=5)``."""
    with stopped_clock() as clock:
        yield clock


@pytest.fixture
def captured_texts(settings: Any) -> Iterator[None]:
    """Let text messages stay in memory; `auth_core.testing.texts` reads them."""
    from auth_core.messages.sms import MemoryBackend  # noqa: PLC0415 - Django is set up only now
    from auth_core.testing.texts import BACKEND  # noqa: PLC0415 - as above

    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": BACKEND}
    MemoryBackend.sent.clear()
    yield
    MemoryBackend.sent.clear()


@pytest.fixture
def signed_in(db: None) -> Callable[..., Browser]:
    """Signs somebody in: ``signed_in(user, assurance="aal2")``; see `auth_core.testing.sessions.sign_in`."""
    from auth_core.testing.sessions import sign_in  # noqa: PLC0415 - Django is set up only now

    return sign_in


@pytest.fixture
def browser() -> Browser:
    """A browser that has fetched the CSRF token, as a page would."""
    from auth_core.testing.browsers import new_browser  # noqa: PLC0415 - Django is set up only now

    return new_browser()


@pytest.fixture
def alice(db: None) -> Any:
    """Somebody with a password and a proven address, alice@example.org."""
    from auth_core.testing.factories import make_user  # noqa: PLC0415 - Django is set up only now

    return make_user("alice@example.org")
