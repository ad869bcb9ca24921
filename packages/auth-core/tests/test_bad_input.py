"""Bad input gets a problem document with the right status and writes nothing."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser

from auth_core.api.parsers import JsonBodyParser
from auth_core.errors import InvalidRequest
from auth_core.events import Event
from auth_core.models import PendingLogin
from auth_core.testing.browsers import post
from auth_core.testing.factories import PASSWORD

pytestmark = pytest.mark.django_db

GOOD = {"identifier": "alice@example.org", "password": PASSWORD}

BODIES = {
    "an unknown field": (json.dumps({**GOOD, "is_staff": True}), 400, "invalid_request"),
    "a missing field": (json.dumps({"identifier": "alice@example.org"}), 400, "invalid_request"),
    "a number instead of text": (json.dumps({**GOOD, "password": 12345}), 400, "invalid_request"),
    "a list instead of text": (json.dumps({**GOOD, "identifier": ["alice@example.org"]}), 400, "invalid_request"),
    "null instead of text": (json.dumps({**GOOD, "password": None}), 400, "invalid_request"),
    "an unknown transport": (json.dumps({**GOOD, "transport": "pigeon"}), 400, "invalid_request"),
    "a NUL byte": (json.dumps({**GOOD, "identifier": "alice\0@example.org"}), 400, "invalid_request"),
    "a NUL byte in the password": (json.dumps({**GOOD, "password": PASSWORD + "\0"}), 400, "invalid_request"),
    "an unpaired surrogate": ('{"identifier": "\\ud800", "password": "x"}', 400, "invalid_request"),
    "an identifier of 321 characters": (json.dumps({**GOOD, "identifier": "a" * 321}), 400, "invalid_request"),
    "a password of 129 characters": (json.dumps({**GOOD, "password": "p" * 129}), 400, "invalid_request"),
    "a repeated key": ('{"identifier": "a", "identifier": "b", "password": "x"}', 400, "malformed_body"),
    "broken JSON": ('{"identifier": ', 400, "malformed_body"),
    "not an object": ("[]", 400, "malformed_body"),
    "NaN": ('{"identifier": NaN}', 400, "malformed_body"),
    "not UTF-8": (b'{"identifier": "\xff"}', 400, "malformed_body"),
    "100,000 brackets": ("[" * 60_000, 400, "malformed_body"),
    "900 nested objects": ('{"identifier": ' + '{"a": ' * 900 + "1" + "}" * 901, 400, "malformed_body"),
    "900 nested lists": ('{"password": ' + "[" * 900 + "]" * 900 + "}", 400, "malformed_body"),
    "33 levels of nesting": ('{"password": ' + "[" * 32 + "]" * 32 + "}", 400, "malformed_body"),
    "a number of 5,000 digits": ('{"identifier": ' + "9" * 5_000 + "}", 400, "malformed_body"),
    "a body beyond the limit": (json.dumps({**GOOD, "password": "p" * 70_000}), 413, "payload_too_large"),
}


@pytest.mark.parametrize(("body", "status", "code"), BODIES.values(), ids=BODIES.keys())
@pytest.mark.asvs("2.2.1")
@pytest.mark.asvs("2.2.2")
@pytest.mark.asvs("15.3.3")
def test_a_bad_body_returns_its_problem_and_changes_nothing(
    body: str | bytes,
    status: int,
    code: str,
    alice: Any,
    browser: Browser,
    events: list[Event],
    django_assert_num_queries: Any,
) -> None:
    with django_assert_num_queries(0):
        refused = browser.post("/api/v1/login/", body, content_type="application/json")

    assert refused.status_code == status
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == code
    assert refused.json()["status"] == status
    assert refused.json()["request_id"]
    assert PASSWORD not in refused.content.decode()
    assert events == []
    assert not PendingLogin.objects.exists()


def test_an_unknown_field_is_named(browser: Browser) -> None:
    refused = browser.post("/api/v1/login/", {**GOOD, "is_staff": True}, content_type="application/json")

    assert refused.json()["errors"] == [
        {"field": "is_staff", "code": "unknown_field", "detail": "Unknown field.", "params": {}}
    ]


def test_a_form_body_is_refused(browser: Browser) -> None:
    refused = browser.post("/api/v1/login/", GOOD)

    assert refused.status_code == 415
    assert refused.json()["code"] == "unsupported_media_type"


def test_an_unsupported_method_returns_the_allowed_ones(browser: Browser) -> None:
    refused = browser.get("/api/v1/login/")

    assert refused.status_code == 405
    assert "POST" in refused.headers["Allow"]


def test_a_client_that_does_not_accept_json_gets_406(browser: Browser) -> None:
    refused = browser.get("/api/v1/csrf/", HTTP_ACCEPT="application/xml")

    assert refused.status_code == 406
    assert refused.json()["code"] == "not_acceptable"


def test_an_unknown_url_returns_a_problem_document(browser: Browser) -> None:
    refused = browser.get("/api/v1/nowhere/")

    assert refused.status_code == 404
    assert refused.json()["code"] == "not_found"


@pytest.mark.asvs("3.5.3")
@pytest.mark.parametrize("method", ["get", "head", "options"])
@pytest.mark.parametrize("path", ["logout/", "login/", "login/answer/", "login/challenge/"])
def test_a_safe_method_changes_nothing(method: str, path: str, alice: Any, browser: Browser) -> None:
    post(browser, "login", **GOOD)

    getattr(browser, method)(f"/api/v1/{path}", GOOD if method == "get" else None)

    assert browser.get("/api/v1/me/").status_code == 200
    assert not PendingLogin.objects.exists()


@pytest.mark.asvs("3.5.1")
@pytest.mark.parametrize("headers", [{}, {"HTTP_ORIGIN": "https://evil.example"}, {"HTTP_X_CSRFTOKEN": "x" * 64}])
def test_a_cross_site_request_changes_nothing(headers: dict[str, str], alice: Any, browser: Browser) -> None:
    post(browser, "login", **GOOD)
    good = {"HTTP_X_CSRFTOKEN": browser.cookies["csrftoken"].value} if "HTTP_ORIGIN" in headers else {}
    browser.defaults.pop("HTTP_X_CSRFTOKEN")

    refused = browser.post("/api/v1/logout/", {}, content_type="application/json", **{**good, **headers})

    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    assert browser.get("/api/v1/me/").status_code == 200


def test_an_anonymous_request_returns_401_with_www_authenticate(browser: Browser) -> None:
    refused = browser.get("/api/v1/me/")

    assert refused.status_code == 401
    assert refused.json()["code"] == "not_authenticated"
    assert refused.headers["WWW-Authenticate"] == "Session"
    assert refused.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ["Session nonsense", "Bearer abc", "Basic YTpi", "nonsense", ""])
def test_a_wrong_header_does_not_fall_back_to_the_cookie(header: str, alice: Any, browser: Browser) -> None:
    post(browser, "login", **GOOD)
    assert browser.get("/api/v1/me/").status_code == 200

    refused = browser.get("/api/v1/me/", HTTP_AUTHORIZATION=header)

    assert refused.status_code == 401
    assert refused.json()["code"] == "not_authenticated"


@pytest.mark.parametrize("session_key", ["x", "../../etc/passwd", "\x00", "a" * 10_000, "ses sion", "é" * 32])
def test_a_forged_cookie_does_not_authenticate(session_key: str, alice: Any, browser: Browser) -> None:
    browser.cookies["sessionid"] = session_key

    assert browser.get("/api/v1/me/").status_code == 401


def test_a_refusal_is_committed_despite_atomic_requests(settings: Any, alice: Any, browser: Browser) -> None:
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        for _guess in range(10):
            browser.post("/api/v1/login/", {**GOOD, "password": "wrong"}, content_type="application/json")
        refused = post(browser, "login", **GOOD)
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False

    assert refused.status_code == 429


@pytest.mark.parametrize("body", [b'{"a": "\\ud800"}', b'{"\\udfff": 1}', b'{"a": [{"b": "x\\ud800y"}]}'])
def test_the_parser_refuses_an_unpaired_surrogate_anywhere(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        JsonBodyParser().parse(BytesIO(body))
