"""A login through all of its outcomes."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client as Browser
from django.utils import timezone

from auth_core.assurance.evidence import Evidence, Method
from auth_core.assurance.levels import Assessment, Demand, Weighed
from auth_core.contracts import Purpose, Transport
from auth_core.events import Event
from auth_core.login.journey import open_login
from auth_core.models import PendingLogin
from auth_core.request.client import Client
from auth_core.testing.browsers import answer, log_in, post
from auth_core.testing.doubles import RIGHT_CODE, NarrowIssuer, SetAssessor
from auth_core.testing.factories import PASSWORD
from conftest import DOUBLES

pytestmark = pytest.mark.django_db


def names(events: list[Event]) -> list[str]:
    return [event.name.value for event in events]


def test_a_correct_password_is_granted(alice: Any, browser: Browser, events: list[Event]) -> None:
    granted = log_in(browser)

    assert granted.status_code == 200
    assert granted.json()["status"] == "granted"
    assert granted.json()["session"]["acr"] == "aal1"
    assert granted.json()["session"]["amr"] == ["pwd"]
    assert "credential" not in granted.json()
    assert names(events) == ["auth.login.started", "auth.login.succeeded"]


@pytest.mark.asvs("15.3.1")
def test_me_returns_the_signed_in_user(alice: Any, browser: Browser) -> None:
    log_in(browser)

    me = browser.get("/api/v1/me/")

    assert me.status_code == 200
    assert me.json() == {
        "id": str(alice.auth_identity.subject_id),
        "email": "alice@example.org",
        "email_verified": True,
        "username": None,
        "display_name": "",
        "locale": "",
        "timezone": "",
        "created_at": me.json()["created_at"],
        "second_factors": [],
        "acr": "aal1",
        "application": None,
        "actor": None,
    }


def test_logout_ends_the_session(alice: Any, browser: Browser, events: list[Event]) -> None:
    log_in(browser)
    browser.defaults["HTTP_X_CSRFTOKEN"] = browser.cookies["csrftoken"].value

    logout = post(browser, "logout")

    assert logout.status_code == 204
    assert browser.get("/api/v1/me/").status_code == 401
    assert names(events)[-1] == "auth.logout.completed"


def test_the_session_key_changes_at_login(alice: Any, browser: Browser) -> None:
    log_in(browser)
    first = browser.cookies["sessionid"].value
    browser.defaults["HTTP_X_CSRFTOKEN"] = browser.cookies["csrftoken"].value

    log_in(browser)

    assert browser.cookies["sessionid"].value != first


@pytest.mark.parametrize("case", ["unknown", "wrong", "disabled", "locked"])
@pytest.mark.asvs("6.3.8")
def test_unknown_wrong_disabled_and_locked_look_the_same(
    case: str, alice: Any, browser: Browser, events: list[Event]
) -> None:
    if case == "disabled":
        type(alice).objects.filter(pk=alice.pk).update(is_active=False)
    if case == "locked":
        alice.auth_identity.locked_at = timezone.now()
        alice.auth_identity.save()
    identifier = "nobody@example.org" if case == "unknown" else "alice@example.org"
    password = PASSWORD if case in ("disabled", "locked") else "not the password at all"

    refused = log_in(browser, identifier=identifier, password=password)

    problem = refused.json()
    assert problem.pop("request_id")
    assert refused.status_code == 401
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert problem == {
        "type": "urn:auth:invalid_credentials",
        "title": "Incorrect identifier or password.",
        "status": 401,
        "detail": "Incorrect identifier or password.",
        "code": "invalid_credentials",
        "errors": [],
    }
    assert [(event.name.value, event.reason) for event in events] == [
        ("auth.login.failed", {"wrong": "password"}.get(case, case))
    ]
    assert not PendingLogin.objects.exists()


def test_a_pending_step_challenges(second_factor: None, alice: Any, browser: Browser, events: list[Event]) -> None:
    challenged = log_in(browser)

    body = challenged.json()
    assert challenged.status_code == 202
    assert body["status"] == "challenged"
    assert body["attempts_left"] == 5
    assert body["challenge"] == {"kind": "code", "method": "totp", "choice": "phone", "data": {}}
    assert [choice["id"] for choice in body["choices"]] == ["phone", "tablet"]
    assert browser.get("/api/v1/me/").status_code == 401
    assert names(events) == ["auth.login.started", "auth.login.challenged"]


def test_a_correct_answer_is_granted_with_both_methods(
    second_factor: None, alice: Any, browser: Browser, events: list[Event]
) -> None:
    granted = answer(browser, log_in(browser), code=RIGHT_CODE)

    assert granted.status_code == 200
    assert granted.json()["session"]["acr"] == "aal2"
    assert granted.json()["session"]["amr"] == ["mfa", "otp", "pwd"]
    assert browser.get("/api/v1/me/").json()["acr"] == "aal2"
    assert names(events)[-1] == "auth.login.succeeded"


def test_a_wrong_answer_costs_an_attempt(
    second_factor: None, alice: Any, browser: Browser, events: list[Event]
) -> None:
    refused = answer(browser, log_in(browser), code="000000")

    assert refused.status_code == 401
    assert refused.json()["code"] == "challenge_failed"
    assert refused.json()["attempts_left"] == 4
    assert events[-1].name.value == "auth.login.failed"
    assert events[-1].reason == "answer"


def test_a_login_without_attempts_has_ended(second_factor: None, alice: Any, browser: Browser) -> None:
    challenged = log_in(browser)
    for _attempt in range(5):
        answer(browser, challenged, code="000000")

    refused = answer(browser, challenged, code=RIGHT_CODE)

    assert refused.json()["code"] == "login_expired"


def test_guesses_are_counted_over_all_logins_of_a_person(second_factor: None, alice: Any, browser: Browser) -> None:
    for _login in range(2):
        challenged = log_in(browser)
        for _attempt in range(5):
            answer(browser, challenged, code="000000")

    refused = answer(browser, log_in(browser), code=RIGHT_CODE)

    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0


def test_a_malformed_answer_costs_no_attempt(second_factor: None, alice: Any, browser: Browser) -> None:
    challenged = log_in(browser)

    refused = answer(browser, challenged, number=1)

    assert refused.status_code == 400
    assert PendingLogin.objects.get().attempts_left == 5


def test_another_factor_may_be_chosen(second_factor: None, alice: Any, browser: Browser) -> None:
    token = log_in(browser).json()["token"]

    chosen = post(browser, "login/challenge", token=token, choice="tablet")

    assert chosen.status_code == 202
    assert chosen.json()["challenge"]["choice"] == "tablet"


def test_an_unknown_choice_is_refused(second_factor: None, alice: Any, browser: Browser) -> None:
    token = log_in(browser).json()["token"]

    refused = post(browser, "login/challenge", token=token, choice="fridge")

    assert refused.status_code == 400


def test_a_completed_duty_adds_no_evidence(settings: Any, alice: Any, browser: Browser) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "LOGIN_STEPS": [f"{DOUBLES}.NameStep"]}

    granted = answer(browser, log_in(browser), name="Alice")

    assert granted.status_code == 200
    assert granted.json()["session"]["acr"] == "aal1"
    assert granted.json()["user"]["display_name"] == "Alice"


def test_a_demand_that_cannot_be_met_needs_more_proof(
    settings: Any, alice: Any, browser: Browser, events: list[Event]
) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "RISK_ASSESSOR": f"{DOUBLES}.SetAssessor"}
    SetAssessor.assessment = Assessment(score=60, reasons=(Weighed("new_device", 25),), demand=Demand.AAL2)

    refused = log_in(browser)

    assert refused.status_code == 403
    assert refused.json()["code"] == "more_proof_required"
    assert refused.json()["enrol"] is False
    assert (events[-1].name.value, events[-1].reason) == ("auth.login.denied", "more_proof")


def test_policy_may_deny_any_evidence(settings: Any, alice: Any, browser: Browser, events: list[Event]) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "RISK_ASSESSOR": f"{DOUBLES}.SetAssessor"}
    SetAssessor.assessment = Assessment(score=99, reasons=(Weighed("impossible_travel", 60),), demand=Demand.DENY)

    refused = log_in(browser)

    assert refused.status_code == 403
    assert refused.json()["code"] == "login_denied"
    assert (events[-1].name.value, events[-1].data["score"]) == ("auth.login.denied", 99)


def test_a_login_expires(second_factor: None, alice: Any, browser: Browser) -> None:
    challenged = log_in(browser)

    with time_machine.travel(timezone.now() + timedelta(minutes=10, seconds=1), tick=False):
        refused = answer(browser, challenged, code=RIGHT_CODE)

    assert refused.status_code == 401
    assert refused.json()["code"] == "login_expired"


@pytest.mark.asvs("2.3.1")
def test_a_login_is_granted_once(second_factor: None, alice: Any, browser: Browser) -> None:
    challenged = log_in(browser)
    secret = browser.cookies["__Host-login"].value
    answer(browser, challenged, code=RIGHT_CODE)
    browser.cookies["__Host-login"] = secret
    browser.defaults["HTTP_X_CSRFTOKEN"] = browser.cookies["csrftoken"].value

    again = answer(browser, challenged, code=RIGHT_CODE)

    assert again.json()["code"] == "login_expired"


def test_an_answer_from_another_browser_is_expired(second_factor: None, alice: Any, browser: Browser) -> None:
    challenged = log_in(browser)
    thief = Browser()

    refused = answer(thief, challenged, code=RIGHT_CODE)

    assert refused.json()["code"] == "login_expired"
    assert PendingLogin.objects.get().attempts_left == 5


@pytest.mark.parametrize("purpose", [Purpose.RECOVERY, Purpose.LINK, Purpose.STEP_UP])
def test_a_login_for_another_purpose_is_expired(
    purpose: Purpose, second_factor: None, alice: Any, browser: Browser
) -> None:
    login = PendingLogin.objects.open(
        user=alice,
        backend="auth_core.backends.IdentifierBackend",
        purpose=purpose,
        transport=Transport.TOKEN,
        evidence=[Evidence.now(Method.PASSWORD)],
        session_id=alice.pk,
    )

    refused = answer(browser, login.token, code=RIGHT_CODE)

    assert refused.json()["code"] == "login_expired"


def test_the_token_of_a_cookie_login_needs_the_browser_secret(
    second_factor: None, alice: Any, browser: Browser
) -> None:
    token = log_in(browser).json()["token"]
    del browser.cookies["__Host-login"]

    refused = answer(browser, token, code=RIGHT_CODE)

    assert refused.json()["code"] == "login_expired"


def test_a_login_without_a_user_always_fails(second_factor: None, browser: Browser) -> None:
    login = PendingLogin.objects.open(user=None, backend="", purpose=Purpose.LOGIN, transport=Transport.TOKEN)

    refused = answer(browser, login.token, code=RIGHT_CODE)

    assert refused.status_code == 401
    assert refused.json()["code"] == "challenge_failed"
    assert refused.json()["attempts_left"] == 4


def test_a_user_disabled_during_the_login_is_refused_like_a_wrong_password(
    second_factor: None, alice: Any, browser: Browser, events: list[Event]
) -> None:
    challenged = log_in(browser)
    type(alice).objects.filter(pk=alice.pk).update(is_active=False)

    refused = answer(browser, challenged, code=RIGHT_CODE)

    assert refused.status_code == 401
    assert refused.json()["code"] == "invalid_credentials"
    assert (events[-1].name.value, events[-1].reason) == ("auth.login.failed", "disabled")


def test_a_grant_beyond_the_session_limit_is_rolled_back_and_asks(settings: Any, alice: Any, browser: Browser) -> None:
    settings.AUTH_CORE = {
        **settings.AUTH_CORE,
        "GRANT_ISSUER": f"{DOUBLES}.NarrowIssuer",
        "LOGIN_STEPS": [f"{DOUBLES}.RoomStep"],
    }
    NarrowIssuer.is_full = True

    challenged = log_in(browser)
    granted = answer(browser, challenged, end="oldest")

    assert challenged.status_code == 202
    assert challenged.json()["challenge"]["kind"] == "session_limit"
    assert granted.status_code == 200


def test_a_grant_that_stays_beyond_the_session_limit_is_denied(settings: Any, alice: Any, browser: Browser) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "GRANT_ISSUER": f"{DOUBLES}.NarrowIssuer"}
    NarrowIssuer.is_full = True

    refused = log_in(browser)

    assert refused.json()["code"] == "login_denied"
    assert PendingLogin.objects.get().closed_at is None


def test_an_unsupported_transport_is_refused(alice: Any, browser: Browser) -> None:
    refused = log_in(browser, transport="token")

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "transport"


@pytest.mark.asvs("3.5.1")
def test_an_anonymous_login_by_cookie_needs_the_csrf_token(alice: Any) -> None:
    refused = log_in(Browser(enforce_csrf_checks=True))

    assert refused.status_code == 403
    assert refused.json()["code"] == "csrf_failed"


def test_a_login_for_an_application_names_it_in_the_trail(alice: Any, recorded_events: list[Any]) -> None:
    application = uuid4()
    alice.backend = "auth_core.backends.IdentifierBackend"

    open_login(
        user=alice,
        evidence=Evidence.now(Method.PASSWORD),
        purpose=Purpose.LOGIN,
        transport=Transport.TOKEN,
        client=Client(),
        application_id=application,
    )

    assert {event.application for event in recorded_events if event.name.startswith("auth.login.")} == {application}
