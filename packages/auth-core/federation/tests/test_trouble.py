"""Providers that are down, slow or wrong: an honest page within the caps, a record, and a local login that goes on."""

import json
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.test import Client as Browser
from joserfc.jwk import ECKey

from auth_core.events import Event
from auth_core.federation.events import FederationEvent
from auth_core.federation.protocol import transport
from auth_core.federation.testing.browsers import begin, sign_in_at, visit
from auth_core.federation.testing.providers import (
    JWKS,
    METADATA,
    TOKEN,
    FakeGitHub,
    FakeProvider,
)
from auth_core.oauth_resource.testing.issuer import endless, reply
from auth_core.testing.browsers import log_in_on_page
from conftest import configure

pytestmark = pytest.mark.django_db

Handler = Callable[[BaseHTTPRequestHandler], None]


def silent_until_stopped(fake: FakeProvider) -> Handler:
    """Return an answer that never comes."""

    def wait(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        fake.stopped.wait()

    return wait


#: What a provider may do at any of its addresses. None of it is an answer.
TROUBLE: dict[str, Handler] = {
    "HTML": reply(b"<html>maintenance</html>", headers={"Content-Type": "text/html"}),
    "a gigabyte": endless,
    "a redirect to itself": reply(b"", status=302, headers={"Location": "/"}),
    "bad JSON": reply(b'{"issuer": '),
    "deep JSON": reply(b"[" * 50_000),
    "a list": reply([1]),
    "a text": reply("text"),
    "nothing": reply(b""),
    "an error": reply({"error": "server_error"}, status=500),
    "a status of its own": reply({}, status=429),
}


@pytest.mark.parametrize("path", [METADATA, TOKEN, JWKS])
@pytest.mark.parametrize("trouble", TROUBLE)
def test_trouble_is_an_honest_page(
    trouble: str, path: str, provide: Any, browser: Browser, events: list[Event], alice: Any
) -> None:
    fake = provide(FakeProvider)
    if path == METADATA:
        fake.answers[path] = TROUBLE[trouble]
        answer = browser.post("/federation/openid/login/")
    else:
        returned = visit(begin(browser, "openid"))
        fake.answers[path] = TROUBLE[trouble]
        answer = returned.deliver(browser)

    page = answer.content.decode()
    assert answer.status_code == 503
    assert "The provider is not responding" in page
    assert "/login/" in page
    assert "_auth_user_id" not in browser.session
    failures = [event for event in events if event.name in list(FederationEvent)]
    assert [(event.name, event.data) for event in failures] == [
        (FederationEvent.PROVIDER_FAILED, {"provider": "openid"})
    ]
    assert log_in_on_page(Browser()).status_code == 303


@pytest.mark.parametrize("path", ["/user", "/user/emails"])
@pytest.mark.parametrize("trouble", ["HTML", "bad JSON", "an error", "a redirect to itself"])
def test_trouble_at_github(trouble: str, path: str, provide: Any, browser: Browser) -> None:
    fake = provide(FakeGitHub)
    returned = visit(begin(browser, "github"))
    fake.answers[path] = TROUBLE[trouble]

    assert returned.deliver(browser).status_code == 503


@pytest.mark.parametrize("path", [METADATA, TOKEN, JWKS])
def test_a_silent_provider_is_waited_for_once_per_request(
    path: str, provide: Any, browser: Browser, settings: Any, monkeypatch: Any
) -> None:
    """The cap of each request ends the wait. The sum of the caps is that of the requests of a callback."""
    settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOUND_TIMEOUT": timedelta(milliseconds=200)}
    fake = provide(FakeProvider)
    returned = None if path == METADATA else visit(begin(browser, "openid"))
    fake.answers[path] = silent_until_stopped(fake)
    before = len(fake.requests)

    answer = browser.post("/federation/openid/login/") if returned is None else returned.deliver(browser)

    assert answer.status_code == 503
    assert fake.requests[before:].count(path) == 1
    assert len(fake.requests[before:]) <= 3


def test_a_provider_that_is_down(provide: Any, browser: Browser, settings: Any) -> None:
    fake = provide(FakeProvider)
    configure(settings, "openid", fake.options(issuer="http://127.0.0.1:1"))

    assert browser.post("/federation/openid/login/").status_code == 503
    assert browser.get("/login/").status_code == 200


def test_a_provider_that_fails_is_not_asked_for_a_while(provide: Any, monkeypatch: Any) -> None:
    fake = provide(FakeProvider)
    fake.answers[METADATA] = TROUBLE["an error"]
    for _attempt in range(10):
        assert Browser().post("/federation/openid/login/").status_code == 503
    assert fake.count(METADATA) == 3

    other = provide(FakeProvider, "other")
    assert sign_in_at(Browser(), "other").status_code == 303
    assert other.count(METADATA) == 1

    del fake.answers[METADATA]
    transport.forget_breakers()
    assert sign_in_at(Browser(), "openid").status_code == 303


def test_an_unknown_key_a_hundred_times_costs_two_requests_for_keys(provide: Any, browser: Browser) -> None:
    fake = provide(FakeProvider)
    assert sign_in_at(Browser(), "openid").status_code == 303
    stranger = ECKey.generate_key("P-256")
    fake.signing_key = stranger

    for number in range(100):
        fake.header = {"kid": f"unknown-{number}"}
        assert sign_in_at(browser, "openid").status_code == 403

    assert fake.count(JWKS) == 2
    assert fake.count(METADATA) == 1
    fake.header, fake.signing_key = {}, None
    assert sign_in_at(browser, "openid").status_code == 303


def test_keys_that_change_are_found(provide: Any) -> None:
    fake = provide(FakeProvider)
    assert sign_in_at(Browser(), "openid").status_code == 303
    fake.rotate()

    assert sign_in_at(Browser(), "openid").status_code == 303
    assert fake.count(JWKS) == 2


def test_metadata_is_kept_for_an_hour(provide: Any, monkeypatch: Any) -> None:
    fake = provide(FakeProvider)
    now = 1000.0
    monkeypatch.setattr("auth_core.federation.protocol.metadata.monotonic", lambda: now)
    for _login in range(3):
        sign_in_at(Browser(), "openid")
    assert fake.count(METADATA) == 1
    now += 3601

    assert sign_in_at(Browser(), "openid").status_code == 303
    assert fake.count(METADATA) == 2
    assert fake.count(JWKS) == 1


@pytest.mark.parametrize("kind", [FakeProvider, FakeGitHub])
def test_a_secret_that_was_revoked(
    kind: type[FakeProvider], provide: Any, browser: Browser, events: list[Event], settings: Any, caplog: Any
) -> None:
    fake = provide(kind)
    configure(settings, fake.kind, fake.options(client_secret="revoked-secret-of-this-site"))

    assert sign_in_at(browser, fake.kind).status_code == 503
    assert events[-1].name is FederationEvent.PROVIDER_FAILED
    assert "Check the client id and the secret" in caplog.text
    assert "revoked-secret" not in caplog.text


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 7},
        {"access_token": "a" * 9000},
        {"access_token": "é"},
        {"access_token": "a\r\nX: y"},
        {"access_token": "a", "expires_in": []},
        {"access_token": "a", "expires_in": "soon"},
        {"access_token": "a", "expires_in": 10**400},
        {"error": {"a": 1}},
        {"error": []},
    ],
)
def test_something_else_than_tokens(members: Any, provide: Any, browser: Browser) -> None:
    fake = provide(FakeProvider)
    fake.answers[TOKEN] = reply(json.dumps(members).encode())

    assert sign_in_at(browser, "openid").status_code in (403, 503)
    assert "_auth_user_id" not in browser.session


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "value", [None, "", 7, ["a"], "javascript:alert(1)", "file:///etc/passwd", "http://10.0.0.1/x"]
)
def test_metadata_with_something_else_than_addresses(name: str, value: Any, provide: Any, browser: Browser) -> None:
    fake = provide(FakeProvider)
    fake.metadata = {name: value}

    answer = browser.post("/federation/openid/login/")
    if answer.status_code == 200 and name != "authorization_endpoint":
        answer = sign_in_at(browser, "openid")

    assert answer.status_code == 503
    assert "javascript:" not in answer.content.decode()
