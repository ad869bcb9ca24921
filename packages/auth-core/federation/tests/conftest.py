"""Fixtures for the tests of this app."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from auth_core.events import Event
from auth_core.federation.protocol.metadata import forget_metadata
from auth_core.federation.protocol.transport import forget_breakers
from auth_core.federation.testing.providers import FakeProvider, running


@pytest.fixture
def events(db: None, recorded_events: list[Event]) -> list[Event]:
    """The recorded events in order."""
    return recorded_events


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """Begin each test without metadata, keys and breakers of another one."""
    forget_metadata()
    forget_breakers()


@pytest.fixture
def provide(settings: Any) -> Iterator[Callable[..., Any]]:
    """A function that runs a provider for the test and configures it: ``provide(FakeGoogle, "google", order=1)``."""
    with ExitStack() as stack:

        def run(kind: type[FakeProvider], slug: str = "", **options: Any) -> FakeProvider:
            provider = stack.enter_context(running(kind()))
            configure(settings, slug or provider.kind, provider.options(**options))
            return provider

        yield run


def configure(settings: Any, slug: str, options: dict[str, Any] | None) -> None:
    """Set the options of a provider, or remove it."""
    stated = getattr(settings, "AUTH_FEDERATION", {})
    providers = {**stated.get("PROVIDERS", {}), slug: options}
    kept = {name: value for name, value in providers.items() if value is not None}
    settings.AUTH_FEDERATION = {**stated, "PROVIDERS": kept}
