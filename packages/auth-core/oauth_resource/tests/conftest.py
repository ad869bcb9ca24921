"""Fixtures for the tests of this app."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.oauth_resource.issuers import introspection, unknown_tokens
from auth_core.oauth_resource.issuers.clients import forget_issuers
from auth_core.oauth_resource.keys import key_cache
from auth_core.oauth_resource.testing.issuer import FakeIssuer, fake_issuer
from auth_core.testing.clock import Clock, stopped_clock

RESOURCE = "https://api.example.org/notes"

Get = Callable[..., Any]


@pytest.fixture(autouse=True)
def no_keys() -> Iterator[None]:
    """Begin each test without keys and answers of issuers."""
    forget_issuers()
    yield
    forget_issuers()


@pytest.fixture
def issuer(settings: Any) -> Iterator[FakeIssuer]:
    """The only issuer of the site."""
    with fake_issuer() as running:
        accept(settings, running)
        yield running


def accept(settings: Any, *issuers: FakeIssuer, **options: Any) -> None:
    """Let the site accept tokens of *issuers* only, each with *options*."""
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "ISSUERS": {each.url: dict(options) for each in issuers}}


@pytest.fixture
def get() -> Get:
    """GET a page with a token."""

    def get(token: str | None, path: str = "/notes/", **headers: Any) -> Any:
        sent = {} if token is None else {"HTTP_AUTHORIZATION": f"Bearer {token}"}
        return Browser().get(path, **{**sent, **headers})

    return get


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The stopped clock of claims."""
    with stopped_clock() as stopped:
        yield stopped


class MonotonicClock:
    """The clock of what the process keeps. It moves when a test moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        """Move it."""
        self.now += seconds


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> MonotonicClock:
    """A stopped clock for keys and answers of issuers."""
    clock = MonotonicClock()
    monkeypatch.setattr(key_cache, "monotonic", clock)
    monkeypatch.setattr(introspection, "monotonic", clock)
    monkeypatch.setattr(unknown_tokens, "monotonic", clock)
    return clock
