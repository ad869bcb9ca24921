"""Denials of signed-in people are recorded, wherever they are raised. Anonymous ones are only logged."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.test import Client as Browser
from django.test import RequestFactory
from django.urls import include, path
from django.views.decorators.csrf import csrf_protect
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied as RestPermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from auth_core.api.permissions import RequireAssurance
from auth_core.api.views import AnonymousApiView, ApiView
from auth_core.errors import AuthError
from auth_core.events import AuthEvent, Event, EventOutcome, event_recorded
from auth_core.models import GuessBudget
from auth_core.observability.denials import mark_denied
from auth_core.observability.logs import ContextFilter
from auth_core.pages.base import AccountPage
from auth_core.request.client import client_of
from auth_core.request.context import Context, bound
from auth_core.testing.events import recording
from auth_core.testing.factories import make_user
from auth_core.testing.sessions import sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

SignIn = Callable[..., Browser]


class NoPermission(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return False


class Guarded(ApiView):
    """A view below `ApiView`."""

    permission_classes = [NoPermission]

    def get(self, request: Request) -> Response:
        raise AssertionError


class AskingMore(ApiView):
    permission_classes = [RequireAssurance("aal3")]  # type: ignore[list-item]  # DRF calls what it finds there

    def get(self, request: Request) -> Response:
        raise AssertionError


class Plain(APIView):
    """A view of the site with DRF's exception handler."""

    authentication_classes = [SessionAuthentication]

    def get_exception_handler(self) -> Any:
        return exception_handler

    def get(self, request: Request) -> Response:
        raise RestPermissionDenied


class Refusing(AnonymousApiView):
    """A view that raises the error in its URL."""

    def get(self, request: Request, code: str) -> Response:
        raise AuthError.registry[code].example()


class GuardedPage(AccountPage):
    def act(self, request: HttpRequest, form: Any) -> HttpResponse:
        raise AuthError.registry["permission_denied"].example()


def denied(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def forbidden(request: HttpRequest) -> HttpResponse:
    return HttpResponseForbidden("no")


def suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation("../../etc/passwd")


def hidden(request: HttpRequest) -> HttpResponse:
    mark_denied("not_shown")
    return HttpResponse(status=404)


def token(request: HttpRequest, token: str) -> HttpResponse:
    raise PermissionDenied


@csrf_protect
def form(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def broken(request: HttpRequest) -> HttpResponse:
    raise ValueError("the cause")


urlpatterns = [
    path("guarded/", Guarded.as_view()),
    path("asking-more/", AskingMore.as_view()),
    path("plain/", Plain.as_view()),
    path("refusing/<str:code>/", Refusing.as_view()),
    path("page/", GuardedPage.as_view()),
    path("denied/", denied),
    path("forbidden/", forbidden),
    path("suspicious/", suspicious),
    path("hidden/", hidden),
    path("token/<str:token>/", token),
    path("form/", form),
    path("broken/", broken),
    path("api/v1/", include("auth_core.api.urls")),
    path("", include("auth_core.pages.urls")),
]
handler400 = "auth_core.api.problems.bad_request"
handler403 = "auth_core.api.problems.permission_denied"
handler404 = "auth_core.api.problems.not_found"
handler500 = "auth_core.api.problems.server_error"

#: Every way in which a view denies a request.
WAYS = ["/guarded/", "/plain/", "/denied/", "/forbidden/", "/refusing/permission_denied/"]


def about(events: list[Event], name: AuthEvent = AuthEvent.ACCESS_DENIED) -> list[tuple[str, str, str]]:
    return [(event.reason, event.data["route"], event.data["method"]) for event in events if event.name is name]


def attempts(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        vars(line)["refusal"]
        for line in caplog.records
        if line.name == "auth_core.security" and line.message.startswith("Attempt refused: ")
    ]


@pytest.fixture
def fresh_browser_of_alice(alice: Any, signed_in: SignIn) -> Browser:
    """A browser of alice that has loaded no middleware yet, and gets a response when a view fails."""
    browser = signed_in(alice)
    browser.raise_request_exception = False
    return browser


@pytest.mark.asvs("16.3.2")
@pytest.mark.parametrize("address", WAYS)
def test_a_denial_is_recorded_wherever_it_is_raised(address: str, fresh_browser_of_alice: Browser, alice: Any) -> None:
    with recording() as events:
        assert fresh_browser_of_alice.get(address).status_code == 403

    (event,) = events
    route = "refusing/<str:code>/" if "refusing" in address else address[1:]
    assert (event.name, event.reason, event.outcome) == (
        AuthEvent.ACCESS_DENIED,
        "permission_denied",
        EventOutcome.DENIED,
    )
    assert event.data == {"route": route, "method": "GET"}
    assert event.subject == alice
    assert event.session is not None


@pytest.mark.parametrize("address", WAYS)
def test_without_the_middleware_no_denial_is_recorded(
    address: str, fresh_browser_of_alice: Browser, settings: Any
) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "RequestContext" not in name]

    with recording() as events:
        assert fresh_browser_of_alice.get(address).status_code == 403

    assert events == []


@pytest.mark.asvs("16.3.2")
def test_form_errors_missing_proofs_and_hidden_objects_are_recorded(fresh_browser_of_alice: Browser) -> None:
    with recording() as events:
        assert fresh_browser_of_alice.post("/page/").status_code == 403
        assert fresh_browser_of_alice.get("/asking-more/").status_code == 401
        assert fresh_browser_of_alice.get("/hidden/").status_code == 404

    assert about(events) == [
        ("permission_denied", "page/", "POST"),
        ("insufficient_user_authentication", "asking-more/", "GET"),
        ("not_shown", "hidden/", "GET"),
    ]


def test_anonymous_denials_are_not_recorded(caplog: pytest.LogCaptureFixture) -> None:
    with recording() as events, caplog.at_level(logging.INFO, logger="auth_core.request"):
        assert [Browser().get(address).status_code for address in ["/denied/", "/forbidden/"]] == [403, 403]

    assert events == []
    assert [vars(line).get("refusal") for line in caplog.records if line.name == "auth_core.request"] == [
        "permission_denied",
        "permission_denied",
    ]


@pytest.mark.parametrize("address", ["/api/v1/nowhere/", "/refusing/not_found/", "/refusing/conflict/"])
def test_other_errors_are_not_recorded_as_denials(address: str, fresh_browser_of_alice: Browser) -> None:
    with recording() as events:
        assert fresh_browser_of_alice.get(address).status_code >= 400

    assert events == []


@pytest.mark.parametrize("code", ["login_denied", "more_proof_required"])
def test_denials_of_a_login_are_not_recorded_twice(code: str, fresh_browser_of_alice: Browser) -> None:
    with recording() as events:
        assert fresh_browser_of_alice.get(f"/refusing/{code}/").status_code == 403

    assert events == []


def test_an_entry_has_the_route_and_no_input_of_the_caller(fresh_browser_of_alice: Browser) -> None:
    with recording() as events:
        fresh_browser_of_alice.post("/token/elr_hunter2-canary/?next=hunter2-canary", {"password": "hunter2-canary"})
        fresh_browser_of_alice.generic("X-HUNTER2-CANARY", "/denied/")

    assert about(events) == [("permission_denied", "token/<str:token>/", "POST"), ("permission_denied", "denied/", "")]
    assert "canary" not in repr([(event.data, event.reason, event.target) for event in events])


@pytest.mark.asvs("16.3.2")
def test_a_person_records_denials_up_to_a_budget(fresh_browser_of_alice: Browser, settings: Any, clock: Any) -> None:
    budget = {"person": (3, timedelta(minutes=15)), "network": (300, timedelta(minutes=15))}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": {"refusal": budget}}

    with recording() as events:
        statuses = {fresh_browser_of_alice.get("/denied/").status_code for _request in range(8)}
        clock.forward(minutes=16)
        fresh_browser_of_alice.get("/denied/")

    names = [event.name for event in events]
    assert statuses == {403}
    assert names == [AuthEvent.ACCESS_DENIED] * 3 + [AuthEvent.LIMIT_REFUSED, AuthEvent.ACCESS_DENIED]
    assert events[3].data == {"use": "refusal", "counted": "person"}


def test_accounts_of_one_network_share_the_budget_of_denials(settings: Any, db: None) -> None:
    budget = {"person": (3, timedelta(minutes=15)), "network": (4, timedelta(minutes=15))}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": {"refusal": budget}}
    browsers = [sign_in(make_user(f"{name}@example.org")) for name in ("ann", "ben", "cid")]

    with recording() as events:
        for browser in browsers * 3:
            browser.get("/denied/")

    assert len(about(events)) == 4
    assert [event.data["counted"] for event in events if event.name is AuthEvent.LIMIT_REFUSED] == ["network"]


def test_a_denial_that_cannot_be_recorded_still_holds(
    fresh_browser_of_alice: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: Event, **kwargs: Any) -> None:
        raise DatabaseError("the trail is full of hunter2-canary")

    event_recorded.connect(fail)
    try:
        assert fresh_browser_of_alice.get("/denied/").status_code == 403
    finally:
        event_recorded.disconnect(fail)

    (line,) = [line for line in caplog.records if line.name == "auth_core.observability.denials"]
    assert (line.levelname, vars(line)["problem"]) == ("ERROR", "DatabaseError")
    assert "canary" not in caplog.text
    # The charge was rolled back with the request.
    assert not GuessBudget.objects.filter(used__gt=0, budget=30).exists()


@pytest.mark.django_db(transaction=True)
def test_a_denial_is_recorded_although_the_request_is_rolled_back(
    fresh_browser_of_alice: Browser, alice: Any, monkeypatch: Any
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    committed = []
    event_recorded.connect(
        receiver := lambda event, **_kwargs: transaction.on_commit(lambda: committed.append(event.reason))
    )
    try:
        assert fresh_browser_of_alice.get("/denied/").status_code == 403
    finally:
        event_recorded.disconnect(receiver)

    assert committed == ["permission_denied"]


@pytest.mark.asvs("16.3.3")
def test_a_missing_csrf_token_is_a_denial_and_a_foreign_origin_a_threat(
    fresh_browser_of_alice: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    with recording() as events:
        for address in ("/form/", "/api/v1/logout/"):
            fresh_browser_of_alice.defaults.pop("HTTP_X_CSRFTOKEN", None)
            assert fresh_browser_of_alice.post(address).json()["code"] == "csrf_failed"
            assert (
                fresh_browser_of_alice.post(address, HTTP_ORIGIN="https://evil.example").json()["code"] == "csrf_failed"
            )

    assert attempts(caplog) == ["csrf_failed", "foreign_origin"] * 2
    assert about(events) == [("csrf_failed", "form/", "POST"), ("csrf_failed", "api/v1/logout/", "POST")]
    assert about(events, AuthEvent.THREAT_DETECTED) == [
        ("foreign_origin", "form/", "POST"),
        ("foreign_origin", "api/v1/logout/", "POST"),
    ]


@pytest.mark.asvs("16.3.3")
def test_anonymous_denials_are_only_in_the_security_log(caplog: pytest.LogCaptureFixture, db: None) -> None:
    stranger = Browser(enforce_csrf_checks=True)
    as_json: Any = {"content_type": "application/json"}

    with recording() as events:
        stranger.post("/form/")
        stranger.post("/form/", HTTP_ORIGIN="https://evil.example")
        stranger.get("/denied/", HTTP_HOST="evil.example")
        stranger.get("/suspicious/")
        stranger.post(
            "/api/v1/login/", {"transport": "token", "identifier": "a", "password": "b", "is_staff": 1}, **as_json
        )
        stranger.post("/api/v1/login/", "{", **as_json)
        stranger.post("/api/v1/login/", "a=b", content_type="text/xml")
        stranger.post("/api/v1/login/", b'{"identifier":"' + b"x" * 70_000 + b'"}', **as_json)

    assert attempts(caplog) == [
        "csrf_failed",
        "foreign_origin",
        "unknown_host",
        "suspicious_operation",
        "unknown_field",
        "malformed_body",
        "unsupported_media_type",
        "payload_too_large",
    ]
    assert events == []
    assert "passwd" not in str([vars(line) for line in caplog.records if line.name == "auth_core.security"])


def test_a_log_line_has_the_network_and_the_request(caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.addFilter(context := ContextFilter())
    try:
        answer = Browser(enforce_csrf_checks=True).post("/form/")
    finally:
        caplog.handler.removeFilter(context)

    (line,) = [vars(line) for line in caplog.records if line.message == "Attempt refused: csrf_failed"]
    assert line["correlation_id"] == answer.headers["X-Request-ID"]
    fields = {name: line[name] for name in ("refusal", "route", "method", "status", "network", "ip")}
    assert fields == {
        "refusal": "csrf_failed",
        "route": "form/",
        "method": "POST",
        "status": 403,
        "network": "127.0.0.1",
        "ip": "127.0.0.1",
    }


@pytest.mark.asvs("16.3.4")
def test_an_unexpected_error_is_logged_with_the_request_id_of_the_caller(
    fresh_browser_of_alice: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(context := ContextFilter())
    try:
        answer = fresh_browser_of_alice.get("/broken/")
    finally:
        caplog.handler.removeFilter(context)

    (line,) = [line for line in caplog.records if line.name == "django.request"]
    assert answer.status_code == 500
    assert vars(line)["correlation_id"] == answer.json()["request_id"] == answer.headers["X-Request-ID"]
    assert line.exc_info is not None
    assert "the cause" not in answer.content.decode()


def test_the_first_reason_is_kept() -> None:
    with bound(Context("some-request", client=client_of(RequestFactory().get("/")))) as context:
        mark_denied("not_shown")
        mark_denied("not_found")

    assert [noted.reason for noted in context.denials] == ["not_shown"]


def test_outside_a_request_no_reason_is_kept() -> None:
    with bound(Context("a-command")) as context:
        mark_denied("not_shown")

    assert context.denials == []
