"""Events must be registered, once."""

from typing import Any

import pytest

from auth_core.events import (
    AuthEvent,
    Event,
    EventName,
    UnregisteredEvent,
    event_recorded,
    record,
    register_events,
)


class Stray(EventName):
    NOTED = "auth.stray.noted", "This is not registered."


def test_an_unregistered_name_is_refused() -> None:
    with pytest.raises(UnregisteredEvent, match=r"auth\.stray\.noted"):
        record(Event(name=Stray.NOTED))


def test_a_plain_string_is_refused_as_a_name() -> None:
    with pytest.raises(UnregisteredEvent):
        record(Event(name="auth.login.failed"))  # type: ignore[arg-type]  # the defect under test


def test_an_undeclared_data_key_is_refused() -> None:
    with pytest.raises(UnregisteredEvent, match="password"):
        record(Event(name=AuthEvent.LOGIN_FAILED, data={"password": "x"}))


def test_registering_a_name_twice_fails() -> None:
    class Again(EventName):
        FAILED = "auth.login.failed", "Somebody else's."

    with pytest.raises(ValueError, match="already registered"):
        register_events(Again)


def test_a_name_has_three_parts() -> None:
    class Short(EventName):
        FAILED = "login.failed", "Too short."

    with pytest.raises(ValueError, match="<area>"):
        register_events(Short)


def test_every_name_has_a_meaning() -> None:
    assert all(name.sentence.endswith(".") for name in AuthEvent)


@pytest.mark.django_db
def test_a_receiver_that_raises_rolls_back_the_change() -> None:
    def refuse(event: Event, **kwargs: Any) -> None:
        raise RuntimeError("no audit, no entry")

    event_recorded.connect(refuse)
    try:
        with pytest.raises(RuntimeError, match="no audit"):
            record(Event(name=AuthEvent.EMAIL_VERIFIED))
    finally:
        event_recorded.disconnect(refuse)
