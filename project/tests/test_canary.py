"""A marker secret takes every failing path and appears in no log, response or entry."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.http import HttpRequest
from django.test import Client as Browser
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from auth_audit.testing.trail import readable
from auth_core.api.bodies import Body, TextField
from auth_core.api.views import AnonymousApiView
from auth_core.errors import AuthError
from auth_core.observability.logs import RedactingFilter
from auth_core.testing.browsers import log_in
from enterprise_auth.core.logging import logging_config
from enterprise_auth.urls import handler400, handler403, handler404, handler500, urlpatterns

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

MARKER = "hunter2-canary-Zq81"

logger = logging.getLogger("auth_core.canary")


class SecretBody(Body):
    password = TextField()


class Failing(AnonymousApiView):
    """Log carelessly, then fail with the error in the address and the secret in the exception."""

    csrf_by_transport = True

    def post(self, request: Request, code: str) -> Response:
        body = SecretBody.parse(request)
        logger.warning(
            "careless: %s", {"note": body.password}, extra={"password": body.password, "note": body.password}
        )
        try:
            raise ValueError(f"cannot use {body.password}")
        except ValueError as problem:
            if code == "defect":
                raise
            raise AuthError.registry[code].example() from problem


def page(request: HttpRequest) -> None:
    """A plain view that fails with the value of a cookie."""
    raise RuntimeError(f"cookie was {request.COOKIES['other']}")


urlpatterns = [*urlpatterns, path("canary/<str:code>/", Failing.as_view()), path("page/", page)]
__all__ = ["handler400", "handler403", "handler404", "handler500"]

CODES = [*AuthError.registry, "defect"]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The output of production logging at level DEBUG."""
    stream = io.StringIO()
    logging.config.dictConfig(logging_config(level="DEBUG", style="json"))
    (handler,) = logging.getLogger().handlers[:1]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    logging.config.dictConfig(django_settings.LOGGING)


def fail(code: str) -> Any:
    browser = Browser(raise_request_exception=False)
    browser.cookies["other"] = MARKER
    return browser.post(
        f"/canary/{code}/", {"password": MARKER}, content_type="application/json",
        HTTP_X_SECRET=MARKER,
    )  # fmt: skip


def all_entries() -> str:
    """Return all entries of the trail, with their personal values, which are encrypted in the table."""
    return str([(vars(entry.entry), entry) for entry in readable()])


def traces(answer: Any, lines: io.StringIO) -> str:
    """Return all traces of a request."""
    return "".join([answer.content.decode(), str(answer.headers), lines.getvalue(), all_entries()])


@pytest.mark.parametrize("code", CODES)
@pytest.mark.asvs("16.2.5")
def test_the_marker_appears_nowhere(code: str, lines: io.StringIO) -> None:
    answer = fail(code)

    assert answer.status_code >= 400
    assert "careless" in lines.getvalue()
    assert MARKER not in traces(answer, lines)


@pytest.mark.parametrize("code", ["defect", "invalid_credentials"])
def test_the_marker_is_detected_without_the_filter(
    code: str, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RedactingFilter, "filter", lambda self, record: True)

    assert MARKER in traces(fail(code), lines), "the planted defect must be detected"


def test_a_cookie_in_an_exception_is_masked(lines: io.StringIO) -> None:
    browser = Browser(raise_request_exception=False)
    browser.cookies["other"] = MARKER

    answer = browser.get("/page/")

    assert answer.status_code == 500
    assert "RuntimeError" in lines.getvalue()
    assert MARKER not in traces(answer, lines)


def test_a_login_with_the_marker_leaves_no_trace(alice: Any, lines: io.StringIO) -> None:
    answer = log_in(Browser(), password=MARKER, transport="token")

    assert answer.status_code == 401
    assert MARKER not in traces(answer, lines)


def test_a_granted_credential_appears_only_in_the_response(alice: Any, lines: io.StringIO) -> None:
    browser = Browser()
    credential = log_in(browser, transport="token").json()["credential"]
    browser.get("/api/v1/me/", HTTP_AUTHORIZATION=f"Session {credential}")
    logger.warning("careless: %s", credential[:])

    assert credential not in lines.getvalue() + all_entries()


@pytest.mark.asvs("16.4.1")
def test_input_cannot_forge_a_line(alice: Any, lines: io.StringIO) -> None:
    Browser().get("/api/v1/me/", HTTP_USER_AGENT='x\r\n{"level":"ERROR"}', HTTP_X_REQUEST_ID="a\nb-forged")
    logger.warning("name is %s", 'x\n{"forged": 1}\u2028\x1b[31m')

    assert all(line.startswith('{"time"') for line in lines.getvalue().rstrip().split("\n"))
    assert "\x1b" not in lines.getvalue()


@pytest.mark.parametrize("transport", ["token", "cookie"])
def test_a_request_is_logged_by_route_and_public_ids(transport: str, alice: Any, lines: io.StringIO) -> None:
    browser = Browser()
    granted = log_in(browser, transport=transport).json()
    header = {"HTTP_AUTHORIZATION": f"Session {granted['credential']}"} if transport == "token" else {}

    browser.get("/api/v1/me/?secret=in-the-query", **header)

    (line,) = [
        line for line in map(json.loads, lines.getvalue().rstrip().split("\n")) if line.get("route") == "api/v1/me/"
    ]
    assert (line["method"], line["status"], line["level"], line["logger"]) == ("GET", 200, "INFO", "auth_core.request")
    assert line["duration_ms"] > 0
    assert line["session"] == granted["session"]["id"]
    assert line["subject"] == granted["user"]["id"]
    assert "in-the-query" not in lines.getvalue()
