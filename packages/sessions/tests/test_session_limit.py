"""The question which session to end, over the API and on the page."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser

from auth_core.models import PendingLogin
from auth_core.testing.browsers import answer, log_in, log_in_on_page, post, submit
from auth_core.testing.counts import counted
from auth_core.testing.factories import make_user
from auth_sessions import checks, concurrency
from auth_sessions.login import SessionLimit
from auth_sessions.models import Session
from conftest import Caller

# The answer is committed separately, which a test transaction would hide.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def two_and_ask(settings: Any) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "LIMIT": 2, "LIMIT_POLICY": "ask"}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "LOGIN_STEPS": ["auth_sessions.login.SessionLimit"]}


@pytest.fixture
def signed_in_twice(alice: Any) -> list[Caller]:
    callers = [Caller(), Caller()]
    for caller in callers:
        caller.log_in()
    return callers


def log_in_again() -> tuple[Browser, Any]:
    """Begin a third login of alice."""
    browser = Browser(enforce_csrf_checks=True)
    return browser, log_in(browser, transport="token")


def ids() -> list[str]:
    """Return the ids of all sessions, in the order in which they were opened."""
    return [str(pk) for pk in Session.objects.order_by("pk").values_list("pk", flat=True)]


def statuses(callers: list[Caller]) -> list[int]:
    return [caller.get("me/").status_code for caller in callers]


def test_below_the_limit_no_question_is_asked(signed_in_twice: list[Caller]) -> None:
    assert statuses(signed_in_twice) == [200, 200]


def test_the_chosen_session_ends_and_the_login_continues(
    signed_in_twice: list[Caller], recorded_events: list[Any]
) -> None:
    first, second = ids()
    browser, challenge = log_in_again()

    granted = answer(browser, challenge, end=first)

    assert challenge.status_code == 202
    assert challenge.json()["challenge"] == {"kind": "session_limit", "method": "", "choice": "", "data": {"live": 2}}
    assert [choice["id"] for choice in challenge.json()["choices"]] == [second, first]
    assert granted.json()["status"] == "granted"
    assert statuses(signed_in_twice) == [401, 200]
    ended = [event for event in recorded_events if event.name.value == "session.session.ended"]
    assert [(str(event.session), event.reason) for event in ended] == [(first, "limit")]


def test_sessions_end_and_begin_by_one_clock(signed_in_twice: list[Caller]) -> None:
    browser, challenge = log_in_again()
    answer(browser, challenge, end=ids()[0])

    first, _second, third = Session.objects.order_by("pk")

    assert first.created_at < first.ended_at <= third.created_at


def test_the_choices_have_device_origin_and_time(signed_in_twice: list[Caller]) -> None:
    _browser, challenge = log_in_again()

    assert re.fullmatch(r".+ · 127\.0\.0\.1 · last used .+", challenge.json()["choices"][0]["label"])


@pytest.mark.parametrize("whose", ["nobody's", "somebody else's", "one that has ended"])
def test_only_a_live_session_of_the_user_can_be_ended(whose: str, signed_in_twice: list[Caller]) -> None:
    make_user("bob@example.org")
    bob = Caller()
    bob.log_in("bob@example.org")
    browser, challenge = log_in_again()
    named = {"nobody's": str(uuid4()), "somebody else's": ids()[2], "one that has ended": ids()[0]}[whose]
    if whose == "one that has ended":
        signed_in_twice[0].send("POST", "logout/")
        Caller().log_in()

    refused = answer(browser, challenge, end=named)

    assert (refused.status_code, refused.json()["code"]) == (401, "challenge_failed")
    assert bob.get("me/").status_code == 200


@pytest.mark.parametrize("fields", [{}, {"end": "first"}, {"end": 1}, {"end": str(uuid4()), "more": 1}, {"code": "1"}])
def test_a_malformed_answer_costs_no_attempt(fields: dict[str, Any], signed_in_twice: list[Caller]) -> None:
    browser, challenge = log_in_again()

    refused = answer(browser, challenge, **fields)

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    assert PendingLogin.objects.latest("pk").attempts_left == challenge.json()["attempts_left"]


def test_a_choice_before_the_answer_is_refused(signed_in_twice: list[Caller]) -> None:
    browser, challenge = log_in_again()
    body = {"token": challenge.json()["token"], "choice": ids()[0]}

    refused = post(browser, "login/challenge", **body)

    assert refused.status_code == 400
    assert statuses(signed_in_twice) == [200, 200]


def test_after_room_was_made_elsewhere_any_answer_is_accepted(signed_in_twice: list[Caller]) -> None:
    browser, challenge = log_in_again()
    signed_in_twice[0].send("POST", "logout/")

    assert answer(browser, challenge, end=str(uuid4())).json()["status"] == "granted"
    assert statuses(signed_in_twice) == [401, 200]


def test_a_login_overtaken_by_another_is_asked_again(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step saw room, but another login took it before the lock was acquired."""
    Caller().log_in()
    real, looks = concurrency.asks, list[bool]()

    def overtaken(*, user: Any) -> bool:
        found = real(user=user)
        if not looks:
            another = Session.objects.get()
            another.pk, another.token_digest = uuid4(), "another's"
            another.save(force_insert=True)
        looks.append(found)
        return found

    monkeypatch.setattr(concurrency, "asks", overtaken)
    _browser, challenge = log_in_again()

    assert challenge.status_code == 202
    assert looks == [False, True]
    assert len(ids()) == 2


def test_without_the_step_the_login_is_refused(signed_in_twice: list[Caller], settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "LOGIN_STEPS": []}

    _browser, refused = log_in_again()

    assert (refused.status_code, refused.json()["code"]) == (403, "login_denied")


def test_with_the_step_no_check_is_reported(alice: Any) -> None:
    assert checks.check_limits() == []


def test_without_limits_no_query_is_made(alice: Any, settings: Any) -> None:
    settings.AUTH_SESSIONS = {}
    login = PendingLogin(user=alice, purpose="login", demand_stored="none")

    with counted() as costs:
        assert not SessionLimit().is_pending(login)

    assert costs.queries == 0


def page_login() -> tuple[Browser, Any]:
    browser = Browser(enforce_csrf_checks=True)
    challenge = log_in_on_page(browser)
    return browser, challenge


def test_the_page_lists_live_sessions_and_ends_the_chosen_one(signed_in_twice: list[Caller]) -> None:
    browser, challenge = page_login()
    page = browser.get(challenge.headers["Location"]).content.decode()
    offered = re.findall(r'type="radio" id="end-\d" name="end" value="([^"]+)"', page)

    granted = submit(browser, "/login/answer/", end=offered[1])

    assert offered == ids()[1::-1]
    assert "Try another way" not in page
    assert granted.status_code == 303
    assert browser.get("/account/").status_code == 200
    assert statuses(signed_in_twice) == [401, 200]


@pytest.mark.parametrize(("fields", "status"), [({}, 400), ({"end": "x"}, 400), ({"end": str(uuid4())}, 401)])
def test_the_page_shows_errors(fields: dict[str, str], status: int, signed_in_twice: list[Caller]) -> None:
    browser, _asked = page_login()

    shown = submit(browser, "/login/answer/", **fields)

    assert shown.status_code == status
    assert 'role="alert"' in shown.content.decode()
    assert statuses(signed_in_twice) == [200, 200]
