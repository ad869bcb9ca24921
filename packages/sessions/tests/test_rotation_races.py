"""Parallel rotations: only one request rotates, and its credential stays valid."""

from functools import partial
from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.crypto.secrets import digest
from auth_core.testing.browsers import log_in
from auth_core.testing.parallel import at_once
from auth_sessions import lifecycle
from auth_sessions.engine import SessionStore
from auth_sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def credential(alice: Any, browser: Browser) -> str:
    """The credential of a browser in which alice is signed in, and whose session is due for rotation."""
    assert log_in(browser).status_code == 200
    lifecycle.rotate_sessions(user=alice)
    return str(browser.cookies["sessionid"].value)


def read(credential: str) -> SessionStore:
    """Return the store of a request that has read its session."""
    store = SessionStore(credential)
    store.load()
    return store


def opens(credential: str | None) -> bool:
    return Session.objects.opened_by(digest(str(credential))).exists()


def test_only_one_of_two_parallel_requests_rotates(credential: str, recorded_events: list[Any]) -> None:
    first, second = read(credential), read(credential)

    first.rotate_if_due()
    second.rotate_if_due()

    assert first.session_key != credential
    assert second.session_key == credential
    assert [event.name.value for event in recorded_events] == ["session.session.rotated"]
    assert opens(first.session_key)


def test_a_slow_request_does_not_replace_a_newer_credential(alice: Any, credential: str) -> None:
    first, slow = read(credential), read(credential)
    first.rotate_if_due()
    lifecycle.rotate_sessions(user=alice)

    slow.rotate_if_due()

    assert slow.session_key == credential
    assert Session.objects.get().token_digest == digest(str(first.session_key))


def test_a_session_that_is_no_longer_due_does_not_rotate(credential: str) -> None:
    store = read(credential)
    Session.objects.update(rotates=False)

    store.rotate_if_due()

    assert store.session_key == credential


def test_an_ended_session_does_not_rotate(alice: Any, credential: str) -> None:
    store = read(credential)
    lifecycle.end_all_sessions(user=alice, reason="revoked")

    store.rotate_if_due()

    assert store.session_key == credential


def request_with(credential: str) -> str:
    browser = Browser()
    browser.cookies["sessionid"] = credential
    assert browser.get("/api/v1/me/").status_code == 200
    return str(browser.cookies["sessionid"].value)


@pytest.mark.postgresql
@pytest.mark.asvs("7.2.4")
def test_only_one_of_20_parallel_requests_rotates_and_none_is_signed_out(
    credential: str, recorded_events: list[Any]
) -> None:
    kept = at_once([partial(request_with, credential)] * 20)

    rotated = {value for value in kept if value != credential}
    assert len(rotated) == 1
    assert [event.name.value for event in recorded_events].count("session.session.rotated") == 1
    assert request_with(rotated.pop())
