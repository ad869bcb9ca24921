"""Step-up of a signed-in person. Old evidence does not count as new."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from django.utils import timezone
from rest_framework.request import Request

from auth_core.api.permissions import RequireAssurance
from auth_core.assurance.evidence import Evidence, Method, SessionFacts, check_assurance, session_of, set_session
from auth_core.assurance.levels import Assurance, Demand
from auth_core.errors import InsufficientUserAuthentication, NotAuthenticated
from auth_core.events import Event
from auth_core.login.journey import answer_pending
from auth_core.login.step_up import begin_step_up
from auth_core.models import PendingLogin
from auth_core.passwords import hashing
from auth_core.request.client import Client
from auth_core.testing.browsers import answer, log_in, log_in_on_page, new_browser, post, with_csrf
from auth_core.testing.doubles import RIGHT_CODE
from auth_core.testing.factories import PASSWORD
from auth_core.testing.hashes import hashing_elsewhere

pytestmark = pytest.mark.django_db


def again(browser: Browser, assurance: str = "aal1", **body: Any) -> Any:
    return post(with_csrf(browser), "reauthenticate", required_assurance=assurance, **{"max_age": 0, **body})


def test_the_password_is_required_and_the_session_continues(alice: Any, browser: Browser, events: list[Event]) -> None:
    session = log_in(browser).json()["session"]["id"]
    old = browser.cookies["sessionid"].value

    challenged = again(browser)
    granted = answer(browser, challenged, password=PASSWORD)

    assert (challenged.status_code, challenged.json()["challenge"]["kind"]) == (202, "password")
    assert (granted.status_code, granted.json()["session"]["id"]) == (200, session)
    assert browser.cookies["sessionid"].value != old
    assert [event.name.value for event in events[2:]] == [
        "auth.login.started",
        "auth.login.challenged",
        "auth.login.succeeded",
    ]
    assert events[-1].data["purpose"] == "step_up"


def test_an_old_second_factor_is_not_refreshed_by_the_password(
    alice: Any, browser: Browser, second_factor: None
) -> None:
    answer(browser, log_in(browser), code=RIGHT_CODE)

    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        next_asked = answer(browser, again(browser, "aal2", max_age=300), password=PASSWORD)
        granted = answer(browser, next_asked, code=RIGHT_CODE)

    assert (next_asked.status_code, next_asked.json()["challenge"]["kind"]) == (202, "code")
    assert granted.json()["session"]["acr"] == "aal2"


def test_a_session_with_only_an_old_second_factor_must_prove_it_again(alice: Any, second_factor: None) -> None:
    long_ago = timezone.now() - timedelta(minutes=10)
    old = Evidence(method=Method.TOTP, at=long_ago, credential="totp-1")
    session = SessionFacts(id=PendingLogin().pk, transport="token", evidence=(old,), authenticated_at=long_ago)
    challenged: Any = begin_step_up(
        user=alice,
        session=session,
        demand=Demand.AAL2,
        max_age=timedelta(minutes=5),
        backend="",
        client=Client(),
    )

    login = PendingLogin.objects.get()
    outcome: Any = answer_pending(login=login, answer={"password": PASSWORD}, client=Client())

    assert (challenged.challenge.kind, outcome.challenge.kind) == ("password", "code")


def test_an_unreachable_level_is_refused_without_a_challenge(alice: Any, browser: Browser) -> None:
    log_in(browser)

    refused = again(browser, "aal2")

    assert (refused.status_code, refused.json()["code"]) == (403, "more_proof_required")
    assert refused.json()["enrol"] is True


def test_only_the_same_browser_and_session_can_answer(alice: Any, browser: Browser) -> None:
    log_in(browser)
    challenged = again(browser)
    other = new_browser()
    log_in(other)

    assert answer(other, challenged, password=PASSWORD).json()["code"] == "login_expired"
    log_in(browser)
    assert answer(browser, challenged, password=PASSWORD).json()["code"] == "login_expired"


def test_wrong_passwords_beyond_the_budget_are_not_checked(
    alice: Any, browser: Browser, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    # Only the budget of passwords is tested, so the budget of answers is raised.
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": {"answer": {"person": (1000, timedelta(minutes=15))}}}
    log_in(browser)
    looked_at = []
    monkeypatch.setattr(hashing, "verify", lambda _user, password: looked_at.append(password))

    codes = {answer(browser, again(browser), password="wrong").json()["code"] for _ in range(200)}

    assert codes == {"challenge_failed", "too_many_attempts"}
    assert len(looked_at) == 10


@pytest.mark.parametrize("max_age", [-1, 10**12, 1.5, "60", True])
def test_an_invalid_age_is_refused(alice: Any, browser: Browser, max_age: Any) -> None:
    log_in(browser)

    assert again(browser, max_age=max_age).status_code == 400
    assert not PendingLogin.objects.filter(purpose="step_up").exists()


@pytest.mark.parametrize("body", [{"assurance": "aal4"}, {"assurance": ""}, {"more": "x"}])
def test_an_unknown_level_or_field_is_refused(alice: Any, browser: Browser, body: dict[str, Any]) -> None:
    log_in(browser)

    assert again(browser, **body).status_code == 400


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "invalid"),
        ({"password": 1}, "invalid"),
        ({"password": "x", "more": "y"}, "invalid"),
        ({"password": "x" * 2000}, "max_length"),
    ],
)
def test_a_malformed_answer_costs_nothing(alice: Any, browser: Browser, fields: dict[str, Any], code: str) -> None:
    log_in(browser)
    challenged = again(browser)

    refused = answer(browser, challenged, **fields)

    assert refused.status_code == 400
    assert [(error["field"], error["code"]) for error in refused.json()["errors"]] == [("answer.password", code)]
    assert PendingLogin.objects.get(purpose="step_up").attempts_left == 5


def test_a_password_is_not_one_of_several_choices(alice: Any, browser: Browser) -> None:
    log_in(browser)
    challenged = again(browser)

    refused = post(browser, "login/challenge", token=challenged.json()["token"], choice="another")

    assert refused.status_code == 400
    assert [(error["field"], error["code"]) for error in refused.json()["errors"]] == [("choice", "unknown")]


def test_the_challenge_names_its_method(alice: Any, browser: Browser) -> None:
    log_in(browser)

    assert again(browser).json()["challenge"]["method"] == "password"


def test_a_busy_service_returns_the_guess(alice: Any, browser: Browser, settings: Any) -> None:
    """The answer is 503, the password was not checked, and the budget is as before."""
    settings.AUTH_CORE = {
        **settings.AUTH_CORE, "BUDGETS": {"password": {"person": (1, timedelta(hours=1))}}, "MAX_PARALLEL_HASHES": 1,
        "HASH_WAIT": timedelta(milliseconds=1),
    }  # fmt: skip
    log_in(browser)
    challenged = again(browser)

    with hashing_elsewhere():
        busy = answer(browser, challenged, password=PASSWORD)

    assert (busy.status_code, busy.json()["code"]) == (503, "unavailable")
    assert answer(browser, challenged, password=PASSWORD).status_code == 200
    assert answer(browser, again(browser), password=PASSWORD).status_code == 200, "a right password is refunded"


def test_a_page_begins_it_only_with_a_button_and_redirects_back(alice: Any) -> None:
    browser = Browser()
    log_in_on_page(browser)

    shown = browser.get("/login/again/?next=/account/password/")
    assert shown.status_code == 200
    assert not PendingLogin.objects.filter(purpose="step_up").exists()
    browser.post("/login/again/?next=/account/password/")
    wrong = browser.post("/login/answer/", {"password": "wrong"})
    right = browser.post("/login/answer/", {"password": PASSWORD})

    assert b"Wrong password." in wrong.content
    assert (right.status_code, right.headers["Location"]) == (303, "/account/password/")


def test_a_page_never_redirects_to_another_site(alice: Any) -> None:
    browser = Browser()
    log_in_on_page(browser)

    browser.post("/login/again/?next=https://evil.example/")

    assert browser.post("/login/answer/", {"password": PASSWORD}).headers["Location"] == "/account/"


def test_an_anonymous_caller_cannot_begin_a_step_up(db: None) -> None:
    assert Browser().post("/login/again/").headers["Location"].startswith("/login/?next=")
    assert again(new_browser()).status_code == 401


def test_the_permission_checks_the_session(rf: Any) -> None:
    request = Request(rf.get("/"))
    permission = RequireAssurance("aal1", max_age=timedelta(minutes=5))()

    with pytest.raises(NotAuthenticated):
        permission.has_permission(request, None)
    log = Evidence(method=Method.PASSWORD, at=timezone.now() - timedelta(minutes=6))
    set_session(
        request,
        SessionFacts(id=PendingLogin().pk, transport="cookie", evidence=(log,), authenticated_at=log.at),
    )
    with pytest.raises(InsufficientUserAuthentication):
        permission.has_permission(request, None)
    check_assurance(session_of(request), Assurance.AAL1)
