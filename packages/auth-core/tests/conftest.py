"""Fixtures for the tests of this package."""

from collections.abc import Iterator
from typing import Any

import pytest

from auth_core.assurance.levels import Assessment
from auth_core.events import Event
from auth_core.testing.doubles import NarrowIssuer, SetAssessor

DOUBLES = "auth_core.testing.doubles"


@pytest.fixture
def events(db: None, recorded_events: list[Event]) -> list[Event]:
    """The recorded events in order."""
    return recorded_events


@pytest.fixture
def second_factor(settings: Any) -> None:
    """A site where every login needs the second factor of `CodeStep`."""
    settings.AUTH_CORE = {**settings.AUTH_CORE, "LOGIN_STEPS": [f"{DOUBLES}.CodeStep"]}


@pytest.fixture(autouse=True)
def doubles_at_rest() -> Iterator[None]:
    """Reset the doubles after the test."""
    yield
    NarrowIssuer.is_full = NarrowIssuer.has_refused = False
    SetAssessor.assessment = Assessment()
