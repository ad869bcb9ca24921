"""Health, the API schema and reference, the admin login, and error responses."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client as Browser

from auth_audit.testing.trail import recorded
from auth_core.observability.health import Probe, Status
from auth_core.testing.browsers import answer, log_in, log_in_on_page
from auth_core.testing.factories import PASSWORD
from auth_core.testing.redis import OwnRedis
from auth_mfa.testing.factors import KEY, add_totp, current_code

pytestmark = pytest.mark.django_db


def test_ready_lists_its_parts() -> None:
    ready = Browser().get("/ready/")

    assert ready.status_code == 200
    assert ready.json() == {
        "status": "ok",
        "parts": {"database": "ok", "migrations": "ok", "keys": "ok", "cache": "ok", "signing_keys": "ok"},
    }


def test_a_lost_cache_is_degraded_and_ready(shared: OwnRedis) -> None:
    shared.kill()

    ready = Browser().get("/ready/")

    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")


@pytest.mark.parametrize("part", ["database", "migrations", "keys"])
def test_a_failed_required_part_is_503(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"auth_core.observability.health.{part}", lambda: Probe(part, Status.FAILED))

    ready = Browser().get("/ready/")

    assert (ready.status_code, ready.json()["parts"][part]) == (503, "failed")


def test_missing_keys_are_not_ready(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {}}

    assert Browser().get("/ready/").status_code == 503


def test_the_schema_is_complete_openapi_3_1() -> None:
    schema = Browser().get("/api/schema/", HTTP_ACCEPT="application/json").json()

    assert schema["openapi"] == "3.1.1"
    assert {"/api/v1/login/", "/api/v1/me/", "/api/v1/sessions/", "/api/v1/audit/entries/"} <= set(schema["paths"])
    answers = schema["paths"]["/api/v1/login/"]["post"]["responses"]
    assert set(answers) == {"200", "202", "default"}
    assert list(answers["default"]["content"]) == ["application/problem+json"]


def test_the_schema_has_no_warning() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")


@pytest.mark.asvs("14.2.3")
def test_the_api_reference_has_no_foreign_requests_and_no_inline_code() -> None:
    page = Browser().get("/api/docs/").content.decode()

    assert "http://" not in page
    assert "https://" not in page
    assert page.count("<script") == page.count("<script src=") == 2
    assert "style=" not in page


def test_an_unknown_address_is_a_problem_document() -> None:
    refused = Browser().get("/nowhere/")

    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")


def test_an_unknown_address_is_a_page_for_browsers() -> None:
    page = Browser().get("/nowhere/", headers={"Accept": "text/html,*/*"})
    document = Browser().get("/api/v1/nowhere/", headers={"Accept": "text/html,*/*"})

    assert (page.status_code, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "Page not found" in page.content.decode()
    assert page.headers["X-Request-ID"] in page.content.decode()
    assert document.headers["Content-Type"] == "application/problem+json"


@pytest.mark.asvs("6.3.4")
@pytest.mark.parametrize("path", ["/admin/login/", "/admin/password_change/"])
def test_the_login_forms_of_the_admin_are_disabled(path: str, alice: Any) -> None:
    alice.is_staff = alice.is_superuser = True
    alice.save()
    browser = Browser()

    refused = browser.post(path, {"username": "alice@example.org", "password": PASSWORD})

    assert refused.status_code == 302
    assert refused.headers["Location"].startswith(("/login/", "/account/"))
    assert "sessionid" not in browser.cookies


def test_the_admin_uses_the_common_login(alice: Any) -> None:
    alice.is_staff = alice.is_superuser = True
    alice.save()
    add_totp(alice)
    browser = Browser()

    login_page = browser.get("/admin/", follow=True)
    assert login_page.redirect_chain[-1] == ("/login/?next=/admin/", 302)
    browser.post("/login/?next=/admin/", {"identifier": "alice@example.org", "password": PASSWORD})
    granted = browser.post("/login/answer/", {"code": current_code(KEY)})

    assert granted.headers["Location"] == "/admin/"
    assert browser.get("/admin/").status_code == 200
    assert browser.post("/admin/logout/").headers["Location"] == "/logged-out/"
    assert browser.get("/admin/").status_code == 302
    assert "auth.logout.completed" in [entry.name for entry in recorded()]


def test_a_user_without_permission_gets_403_without_a_redirect_loop(alice: Any) -> None:
    browser = Browser()
    log_in_on_page(browser)

    assert browser.get("/admin/", follow=True).status_code == 403


def test_an_api_login_opens_the_admin(alice: Any, browser: Browser) -> None:
    alice.is_staff = alice.is_superuser = True
    alice.save()
    add_totp(alice)
    assert browser.get("/admin/").status_code == 302

    answer(browser, log_in(browser), code=current_code(KEY))

    for page in ("", "auth_sessions/session/", "auth_audit/auditentry/"):
        assert browser.get(f"/admin/{page}").status_code == 200, page


@pytest.mark.asvs("16.5.1")
@pytest.mark.asvs("16.5.4")
def test_an_unexpected_error_reveals_only_the_request_id(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("SELECT secret FROM inside")

    monkeypatch.setattr("auth_core.api.views.get_token", break_)

    failed = Browser(raise_request_exception=False).get("/api/v1/csrf/")

    assert failed.status_code == 500
    assert failed.headers["Content-Type"] == "application/problem+json"
    assert failed.json()["code"] == "internal_error"
    assert failed.json()["request_id"] == failed.headers["X-Request-ID"]
    assert "SELECT" not in failed.content.decode()


@pytest.mark.asvs("16.5.2")
def test_a_lost_database_is_503_and_never_401(monkeypatch: pytest.MonkeyPatch, alice: Any) -> None:
    def gone(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("connection refused: 10.0.0.5")

    monkeypatch.setattr("auth_sessions.revocation.snapshots._from_rows", gone)

    failed = Browser().get("/api/v1/me/", HTTP_AUTHORIZATION="Session eas_" + "x" * 43)

    assert failed.status_code == 503
    assert int(failed.headers["Retry-After"]) > 0
    assert "10.0.0.5" not in failed.content.decode()
