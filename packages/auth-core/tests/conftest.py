"""Fixtures of this package's tests."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client as Browser

from auth_core.account_creation import create_account
from auth_core.assurance import Assessment
from auth_core.events import Event, event_recorded
from auth_core.testing.doubles import NarrowIssuer, SetAssessor

PASSWORD = "correct horse battery staple"
DOUBLES = "auth_core.testing.doubles"


def log_in(browser: Browser, *, identifier: str = "alice@example.org", password: str = PASSWORD, **body: Any) -> Any:
    body = {"identifier": identifier, "password": password, **body}
    return browser.post("/api/v1/login/", body, content_type="application/json")


def answer(browser: Browser, challenged: Any, **given: Any) -> Any:
    body = {"token": challenged.json()["token"], "answer": given}
    return browser.post("/api/v1/login/answer/", body, content_type="application/json")


def post(browser: Browser, path: str, **body: Any) -> Any:
    return browser.post(f"/api/v1/{path}/", body, content_type="application/json")


def code_of(answer: Any) -> Any:
    return answer.json()["code"]


def new_browser() -> Browser:
    """Return a browser that has fetched the CSRF token, as a page would."""
    browser = Browser(enforce_csrf_checks=True)
    browser.defaults["HTTP_X_CSRFTOKEN"] = browser.get("/api/v1/csrf/").json()["csrf_token"]
    return browser


@pytest.fixture
def alice(db: None) -> Any:
    """Somebody with a proven address."""
    return create_account(email="alice@example.org", password=PASSWORD, verified=True)


@pytest.fixture
def browser() -> Browser:
    """A browser that has fetched the CSRF token, as a page would."""
    return new_browser()


@pytest.fixture
def events(db: None) -> Iterator[list[Event]]:
    """The events recorded, in order."""
    recorded: list[Event] = []

    def keep(event: Event, **kwargs: Any) -> None:
        assert transaction.get_connection().in_atomic_block, f"{event.name} was recorded outside a transaction"
        recorded.append(event)

    event_recorded.connect(keep, weak=False)
    yield recorded
    event_recorded.disconnect(keep)


@pytest.fixture(autouse=True)
def doubles_at_rest() -> Iterator[None]:
    """Put the doubles back to what they do by themselves."""
    yield
    NarrowIssuer.is_full = NarrowIssuer.asked = False
    SetAssessor.assessment = Assessment()
