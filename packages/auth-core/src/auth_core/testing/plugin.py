"""A pytest plugin for tests of and beside our packages: ``-p auth_core.testing.plugin``."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings

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


@pytest.fixture(autouse=True)
def keys_of_this_test(settings: Any) -> None:
    """Keep what tests write into the Redis of this run apart; nothing of it is flushed, it may be shared."""
    settings.AUTH_CORE = {**getattr(settings, "AUTH_CORE", {}), "REDIS_PREFIX": f"test-{uuid4()}"}


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
def recorded_events() -> Iterator[list[Any]]:
    """The events recorded during this test, in order."""
    from auth_core.events import event_recorded  # noqa: PLC0415 - Django is set up only now

    recorded: list[Any] = []

    def keep(event: Any, **kwargs: Any) -> None:
        recorded.append(event)

    event_recorded.connect(keep, weak=False)
    yield recorded
    event_recorded.disconnect(keep)
