"""Fixtures for the tests of this app."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client as Browser

from administrators import browser_of_administrator
from auth_core.events import Event
from auth_core.oauth.grants.client_credentials import forget_counts
from auth_core.oauth.testing.factories import Registered, make_application
from auth_core.testing.factories import make_user


@pytest.fixture
def events(db: None, recorded_events: list[Event]) -> list[Event]:
    """The recorded events in order."""
    return recorded_events


@pytest.fixture
def alice(db: None) -> Any:
    """A person."""
    return make_user("alice@example.org", display_name="Alice", locale="de")


@pytest.fixture
def web(db: None) -> Registered:
    """A confidential application."""
    return make_application()


@pytest.fixture
def native(db: None) -> Registered:
    """A public application."""
    return make_application(public=True)


@pytest.fixture
def service(db: None) -> Registered:
    """An application that acts for itself."""
    return make_application(grant="client-credentials")


@pytest.fixture
def administrator(db: None) -> Browser:
    """The browser of a superuser."""
    return browser_of_administrator()


@pytest.fixture(autouse=True)
def counts_at_rest() -> Iterator[None]:
    """Begin each test without counted tokens."""
    forget_counts()
    yield
    forget_counts()
