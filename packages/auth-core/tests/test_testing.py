"""The test kit works, and catches the defects that it is for."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client as Browser

from auth_core.assurance.methods import Evidence, Method
from auth_core.contracts import Transport
from auth_core.errors import ChallengeFailed, InvalidCredentials, LinkInvalid
from auth_core.events import AuthEvent, Event, record
from auth_core.testing.browsers import (
    answer,
    log_in,
    log_in_on_page,
    logged_in,
    new_browser,
    post,
    sign_up,
    submit,
)
from auth_core.testing.clock import Clock
from auth_core.testing.counts import counted
from auth_core.testing.doubles import RIGHT_CODE
from auth_core.testing.events import RecordedOutsideTransaction, recording
from auth_core.testing.factories import make_administrator, make_user
from auth_core.testing.gaps import AuditGap, assert_no_audit_gap
from auth_core.testing.mails import the_mail
from auth_core.testing.parallel import one_winner
from auth_core.testing.redis import OwnRedis
from auth_core.testing.sessions import NotGranted, begin
from conftest import DOUBLES

pytestmark = pytest.mark.django_db(transaction=True)

SignIn = Callable[..., Browser]


def test_a_created_user_can_log_in(browser: Browser) -> None:
    user = make_user(display_name="Bob")

    granted = log_in(browser, identifier=user.email)

    assert granted.status_code == 200
    assert granted.json()["user"]["display_name"] == "Bob"
    assert granted.json()["user"]["email_verified"]


def test_a_begun_login_is_answered_by_its_token_or_its_response(alice: Any, second_factor: None) -> None:
    begun, browser = begin(alice), new_browser()

    granted = [
        answer(new_browser(), begun.token, code=RIGHT_CODE),
        answer(browser, log_in(browser), code=RIGHT_CODE),
    ]

    assert [response.status_code for response in granted] == [200, 200]


def test_a_begun_login_with_cookies_belongs_to_a_browser(alice: Any, second_factor: None) -> None:
    begun = begin(alice, transport=Transport.COOKIE)

    assert answer(new_browser(), begun.token, code=RIGHT_CODE).json()["code"] == "login_expired"


def test_a_logged_in_browser_may_change_data(alice: Any, browser_of_alice: Browser) -> None:
    assert post(browser_of_alice, "logout").status_code == 204
    assert post(logged_in(), "logout").status_code == 204


def test_a_login_that_needs_more_is_not_logged_in(alice: Any, second_factor: None) -> None:
    with pytest.raises(AssertionError, match="not granted"):
        logged_in()


def test_a_form_is_submitted_with_the_token_of_its_page(alice: Any) -> None:
    browser = Browser(enforce_csrf_checks=True)
    page = browser.get("/login/")

    refused = submit(browser, "/login/", page=page, identifier="alice@example.org", password="wrong")
    granted = log_in_on_page(browser)

    assert (refused.status_code, granted.status_code, granted.headers["Location"]) == (401, 303, "/account/")
    with pytest.raises(AssertionError, match="There is no form"):
        submit(browser, "/api/v1/me/")


def test_a_sign_up_is_requested(browser: Browser) -> None:
    assert sign_up(browser, "bob@example.org").status_code == 202
    assert the_mail().to == ["bob@example.org"]


def test_alice_and_bob_are_two_users(alice: Any, bob: Any) -> None:
    assert [alice.email, bob.email] == ["alice@example.org", "bob@example.org"]


def test_an_unknown_column_is_an_error() -> None:
    with pytest.raises(Exception, match="no field named"):
        make_user(nickname="Bob")


def test_a_created_administrator_is_a_superuser() -> None:
    assert make_administrator().has_perm("auth_accounts.delete_user")


@pytest.mark.parametrize("assurance", ["aal1", "aal2", "aal3"])
def test_sign_in_leaves_the_state_of_a_login(
    assurance: str, signed_in: SignIn, alice: Any, events: list[Event]
) -> None:
    browser = signed_in(alice, assurance=assurance)

    assert browser.get("/api/v1/me/").json()["acr"] == assurance
    assert AuthEvent.LOGIN_SUCCEEDED in [event.name for event in events]
    alice.refresh_from_db()
    assert alice.last_login is not None
    assert post(browser, "logout").status_code == 204
    assert browser.get("/api/v1/me/").status_code == 401


def test_a_browser_without_its_csrf_token_is_refused(signed_in: SignIn, alice: Any) -> None:
    browser = signed_in(alice)
    del browser.defaults["HTTP_X_CSRFTOKEN"]

    assert post(browser, "logout").status_code == 403


def test_insufficient_evidence_is_an_error(signed_in: SignIn, alice: Any) -> None:
    with pytest.raises(ValueError, match="reaches aal1, not aal2"):
        signed_in(alice, assurance="aal2", evidence=[Evidence.now(Method.PASSKEY)])


def test_a_pending_step_is_not_skipped(signed_in: SignIn, alice: Any, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "LOGIN_STEPS": [f"{DOUBLES}.CodeStep"]}

    with pytest.raises(NotGranted, match="'code'"):
        signed_in(alice, assurance="aal1")

    assert signed_in(alice, assurance="aal2").get("/api/v1/me/").status_code == 200


def test_a_person_who_is_not_admitted_is_refused(signed_in: SignIn, alice: Any) -> None:
    alice.is_active = False
    alice.save()

    with pytest.raises(InvalidCredentials):
        signed_in(alice)


def test_the_clock_moves_only_when_it_is_moved(clock: Clock) -> None:
    before = clock.now
    time.sleep(0.01)
    assert clock.now == before

    after = clock.forward(minutes=5)

    assert (after - before).total_seconds() == 300
    assert clock.now == after


def test_an_event_outside_a_transaction_is_caught(alice: Any) -> None:
    with recording() as inside, transaction.atomic():
        record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=alice))
    with pytest.raises(RecordedOutsideTransaction, match=r"auth\.email\.verified"), recording():
        record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=alice))

    assert len(inside) == 1


def rename(user: Any) -> None:
    get_user_model().objects.filter(pk=user.pk).update(display_name="Mallory")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(rename, id="on its own"),
        pytest.param(transaction.atomic(rename), id="in a transaction"),
        pytest.param(transaction.atomic(transaction.atomic(rename)), id="in a savepoint"),
    ],
)
def test_a_change_without_an_event_is_a_gap(change: Callable[[Any], None], alice: Any) -> None:
    with pytest.raises(AuditGap, match="auth_accounts_user: UPDATE"), assert_no_audit_gap():
        change(alice)


@pytest.mark.django_db(transaction=False)
def test_a_gap_is_caught_inside_the_transaction_of_a_test(alice: Any) -> None:
    with pytest.raises(AuditGap), assert_no_audit_gap():
        rename(alice)


def test_an_event_of_another_transaction_closes_no_gap(alice: Any) -> None:
    with pytest.raises(AuditGap), assert_no_audit_gap():
        with transaction.atomic():
            record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=alice))
        with transaction.atomic():
            rename(alice)


def test_an_event_that_was_rolled_back_closes_no_gap(alice: Any) -> None:
    with pytest.raises(AuditGap), assert_no_audit_gap(), transaction.atomic():
        rename(alice)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=alice))
            _ = 1 / 0


def test_a_change_that_was_rolled_back_is_no_gap(alice: Any) -> None:
    with assert_no_audit_gap():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            rename(alice)
            _ = 1 / 0
        with transaction.atomic():
            rename(alice)
            transaction.set_rollback(True)


def test_a_change_without_rows_is_no_gap(alice: Any) -> None:
    with assert_no_audit_gap():
        get_user_model().objects.filter(pk=0).update(display_name="Nobody")


def test_a_whole_login_leaves_no_gap(alice: Any, browser: Browser) -> None:
    with assert_no_audit_gap():
        assert log_in(browser).status_code == 200
        assert log_in(new_browser(), password="wrong").status_code == 401
        make_user()


def test_what_a_block_costs_is_counted(shared: OwnRedis, alice: Any) -> None:
    with counted() as nothing:
        pass
    with counted() as login:
        log_in(Browser())
    with counted() as one, transaction.atomic():
        get_user_model().objects.get(pk=alice.pk)

    assert (nothing.queries, nothing.round_trips) == (0, 0)
    assert login.queries > 5
    assert login.round_trips > 0
    assert (one.queries, one.round_trips) == (1, 0)


def test_one_winner_counts_all_results() -> None:
    def tasks(number: int) -> list[Callable[[], Any]]:
        return [lambda: True, lambda: False, lambda: False]

    assert one_winner(tasks, refusal={"False"}, rounds=3) == {"True": 3, "False": 6}


def refuse(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    "ran",
    [
        [lambda: 1, lambda: 1],
        [lambda: 1, partial(refuse, ChallengeFailed(attempts_left=1))],
        [lambda: 1, partial(refuse, KeyError("bug"))],
        [partial(refuse, LinkInvalid())],
    ],
    ids=["two won", "another refusal", "a bug", "nobody won"],
)
def test_a_race_without_one_winner_is_caught(ran: list[Callable[[], Any]]) -> None:
    with pytest.raises(AssertionError, match="round 0"):
        one_winner(lambda _number: ran, refusal={"link_invalid"})


def test_a_limit_is_not_accepted_as_a_guard() -> None:
    with pytest.raises(ValueError, match="too_many_attempts"):
        one_winner(lambda _number: [], refusal={"too_many_attempts"})


@pytest.mark.postgresql
def test_checking_before_writing_is_caught(alice: Any) -> None:
    def check_then_write() -> bool:
        waiting = get_user_model().objects.filter(pk=alice.pk, display_name="")
        is_free = waiting.exists()
        time.sleep(0.05)
        return is_free and get_user_model().objects.filter(pk=alice.pk).update(display_name="taken") == 1

    def write_conditionally() -> bool:
        return get_user_model().objects.filter(pk=alice.pk, display_name="").update(display_name="taken") == 1

    def race(task: Callable[[], bool], number: int) -> list[Callable[[], bool]]:
        get_user_model().objects.update(display_name="")
        return [task] * 20

    with pytest.raises(AssertionError, match="won of"):
        one_winner(partial(race, check_then_write), refusal={"False"})
    assert one_winner(partial(race, write_conditionally), refusal={"False"})["True"] == 20


def test_a_token_is_sent_in_the_header(signed_in: SignIn, alice: Any, settings: Any) -> None:
    with pytest.raises(NotGranted, match="transport"):
        signed_in(alice, transport=Transport.TOKEN)


def test_two_browsers_are_independent(alice: Any) -> None:
    assert new_browser().defaults["HTTP_X_CSRFTOKEN"] != new_browser().defaults["HTTP_X_CSRFTOKEN"]
