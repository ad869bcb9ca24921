"""A credential on the wrong transport is recorded as a threat to its user."""

from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.events import AuthEvent, Event
from auth_core.testing.browsers import log_in
from auth_core.testing.events import recording
from auth_core.testing.settings import redis_url
from auth_sessions.models import Session
from conftest import Caller

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))


def threats(events: list[Event]) -> list[tuple[str, Any, Any]]:
    return [(event.reason, event.subject, event.session) for event in events if event.name is AuthEvent.THREAT_DETECTED]


@pytest.fixture
def by_cookie(alice: Any, browser: Browser) -> Browser:
    """Alice's browser."""
    assert log_in(browser).status_code == 200
    return browser


@pytest.mark.asvs("16.3.3")
def test_a_cookie_credential_in_the_header_is_a_threat(alice: Any, by_cookie: Browser, caller: Caller) -> None:
    caller.credential = by_cookie.cookies["sessionid"].value

    with recording() as events:
        assert caller.get("me/").status_code == 401

    assert threats(events) == [("other_transport", alice, Session.objects.get().pk)]


@pytest.mark.asvs("16.3.3")
@pytest.mark.parametrize("address", ["/api/v1/me/", "/login/"])
def test_a_token_in_a_cookie_is_a_threat_on_every_route(address: str, alice: Any, caller: Caller) -> None:
    caller.log_in()
    thief = Browser()
    thief.cookies["sessionid"] = caller.credential

    with recording() as events:
        thief.get(address)

    assert threats(events) == [("other_transport", alice, Session.objects.get().pk)]


@pytest.mark.asvs("16.3.3")
def test_two_valid_credentials_in_one_request_are_a_threat(alice: Any, by_cookie: Browser, caller: Caller) -> None:
    caller.log_in()

    with recording() as events:
        answer = by_cookie.get("/api/v1/me/", HTTP_AUTHORIZATION=f"Session {caller.credential}")

    assert answer.json()["code"] == "ambiguous_credentials"
    by_token = Session.objects.get(transport="token")
    assert threats(events) == [("ambiguous_credentials", alice, by_token.pk)]


@pytest.mark.parametrize("header", ["Session eas_" + "x" * 43, "Session x", "Bearer x"])
def test_an_unknown_credential_is_not_recorded(header: str, by_cookie: Browser) -> None:
    with recording() as events:
        assert by_cookie.get("/api/v1/me/", HTTP_AUTHORIZATION=header).status_code == 401

    assert events == []


def test_an_ended_credential_is_not_recorded(by_cookie: Browser, caller: Caller) -> None:
    caller.credential = by_cookie.cookies["sessionid"].value
    by_cookie.post(
        "/api/v1/logout/", content_type="application/json", HTTP_X_CSRFTOKEN=by_cookie.cookies["csrftoken"].value
    )
    assert not Session.objects.live().exists()

    with recording() as events:
        assert caller.get("me/").status_code == 401

    assert events == []
