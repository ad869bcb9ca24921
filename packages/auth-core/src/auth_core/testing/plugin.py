"""The pytest plugin of the test kit: ``-p auth_core.testing.plugin``."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.test import Client as Browser

from auth_core.testing.clock import Clock, stopped_clock
from auth_core.testing.postgresql import OwnPostgreSQL
from auth_core.testing.redis import OwnRedis

if TYPE_CHECKING:
    pass


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line("markers", "postgresql: needs PostgreSQL, deselected on SQLite")
    config.addinivalue_line("markers", "sqlite: needs SQLite, deselected on PostgreSQL")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that need the other database."""
    vendor = django_settings.DATABASES["default"]["ENGINE"].rpartition(".")[2]
    other = "postgresql" if vendor == "sqlite3" else "sqlite"
    deselected = [item for item in items if item.get_closest_marker(other)]
    if deselected:
        config.hook.pytest_deselected(items=deselected)
        items[:] = [item for item in items if item not in deselected]


@pytest.fixture(autouse=True, scope="session")
def flush_quickly() -> Iterator[None]:
    """Flush the database quickly after each test that commits. See `auth_core.testing.flush`."""
    from auth_core.testing.flush import quick_flush  # noqa: PLC0415 - Django is not set up before

    with quick_flush():
        yield


@pytest.fixture(autouse=True)
def keys_of_this_test(settings: Any) -> None:
    """Use a Redis prefix for each test. Redis is not flushed, because it may be shared."""
    settings.AUTH_CORE = {**getattr(settings, "AUTH_CORE", {}), "REDIS_PREFIX": f"test-{uuid4()}"}


@pytest.fixture(autouse=True)
def controls_at_rest() -> Iterator[None]:
    """Stop the thread that records degraded controls, and reset their state after the test."""
    from auth_core.runtime import degradation  # noqa: PLC0415 - Django is not set up before

    with patch.object(degradation.recorder, "wake"):
        yield
    degradation.reset()


@pytest.fixture
def own_redis() -> Iterator[OwnRedis]:
    """A Redis server for this test alone."""
    with OwnRedis() as server:
        yield server


@pytest.fixture
def shared(settings: Any, own_redis: OwnRedis) -> OwnRedis:
    """Use `own_redis` as the shared cache of the packages."""
    settings.AUTH_CORE = {**settings.AUTH_CORE, "REDIS_URL": own_redis.url}
    return own_redis


@pytest.fixture
def own_postgresql() -> Iterator[OwnPostgreSQL]:
    """An empty PostgreSQL server for this test alone."""
    with OwnPostgreSQL() as server:
        yield server


@pytest.fixture
def recorded_events() -> Iterator[list[Any]]:
    """The events of this test in order. The test fails if one was recorded outside a transaction."""
    from auth_core.testing.events import recording  # noqa: PLC0415 - Django is not set up before

    with recording() as recorded:
        yield recorded


@pytest.fixture
def clock() -> Iterator[Clock]:
    """A stopped clock that the test moves: ``clock.forward(minutes=5)``."""
    with stopped_clock() as clock:
        yield clock


@pytest.fixture
def captured_texts(settings: Any) -> Iterator[None]:
    """Keep text messages in memory, where `auth_core.testing.texts` reads them."""
    from auth_core.messages.sms import MemoryBackend  # noqa: PLC0415 - Django is not set up before
    from auth_core.testing.texts import BACKEND  # noqa: PLC0415 - as above

    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": BACKEND}
    MemoryBackend.sent.clear()
    yield
    MemoryBackend.sent.clear()


@pytest.fixture
def unlimited_guesses(settings: Any) -> None:
    """Raise all budgets to a million guesses, so that a test of parallel guesses meets the guard and not the budget."""
    from auth_core.conf import CoreSettings  # noqa: PLC0415 - Django is not set up before

    budgets = {
        use: {counted: (1_000_000, window) for counted, (_guesses, window) in limits.items()}
        for use, limits in CoreSettings.BUDGETS.default.items()
    }
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": budgets}


@pytest.fixture
def signed_in(db: None) -> Callable[..., Browser]:
    """A function that signs a user in: ``signed_in(user, assurance="aal2")``. See `auth_core.testing.sessions.sign_in`."""
    from auth_core.testing.sessions import sign_in  # noqa: PLC0415 - Django is not set up before

    return sign_in


@pytest.fixture
def browser() -> Browser:
    """A browser that has fetched the CSRF token."""
    from auth_core.testing.browsers import new_browser  # noqa: PLC0415 - Django is not set up before

    return new_browser()


@pytest.fixture
def alice(db: None) -> Any:
    """A user with a password and the verified address alice@example.org.

    Her username is ``alice`` if the user model has usernames besides addresses.
    """
    return _named_user("alice")


@pytest.fixture
def bob(db: None) -> Any:
    """Another user, like `alice`: ``bob`` with the address bob@example.org."""
    return _named_user("bob")


def _named_user(name: str) -> Any:
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - Django is not set up before

    from auth_core.testing.factories import make_user  # noqa: PLC0415 - as above

    model = get_user_model()
    has_usernames = model.get_email_field_name() != model.USERNAME_FIELD
    columns: dict[str, Any] = {model.USERNAME_FIELD: name} if has_usernames else {}
    return make_user(f"{name}@example.org", **columns)


@pytest.fixture
def browser_of_alice(alice: Any, browser: Browser) -> Browser:
    """Alice's browser after a login with her password, with its CSRF token. The site must grant it at once."""
    from auth_core.testing.browsers import logged_in  # noqa: PLC0415 - Django is not set up before

    return logged_in(browser)
