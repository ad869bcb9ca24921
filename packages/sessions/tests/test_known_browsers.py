"""Guesses in a browser that its person has signed in with: strangers cannot use them up, and nobody gets more by it."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core import limits
from auth_core.models import GuessBudget
from auth_core.request.client import Client
from auth_core.testing.browsers import log_in, new_browser, post
from auth_core.testing.counting import counted
from auth_core.testing.factories import make_user
from auth_core.testing.redis import OwnRedis
from auth_core.testing.settings import redis_url
from auth_sessions import devices
from auth_sessions.models import Device, Session
from conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

COOKIE = "__Host-device"
WRONG = "not the password at all"


@pytest.fixture
def own(alice: Any) -> Browser:
    """Alice's own browser: she has signed in with it once, and is signed out."""
    return known_browser()


def known_browser(identifier: str = "alice@example.org", password: str = PASSWORD) -> Browser:
    """Return a browser in which a login was completed and that keeps nothing but its device cookie."""
    signed_in = new_browser()
    assert log_in(signed_in, identifier=identifier, password=password).status_code == 200
    return with_device(signed_in.cookies[COOKIE].value)


def with_device(cookie: str) -> Browser:
    browser = new_browser()
    browser.cookies[COOKIE] = cookie
    return browser


def guess(browser: Browser, times: int, *, identifier: str = "alice@example.org") -> list[int]:
    return [log_in(browser, identifier=identifier, password=WRONG).status_code for _guess in range(times)]


def stranger(address: str = "198.51.100.7") -> Browser:
    browser = new_browser()
    browser.defaults["REMOTE_ADDR"] = address
    return browser


def test_what_a_stranger_guessed_keeps_nobody_out_of_their_own_browser(own: Browser) -> None:
    assert guess(stranger(), 12) == [401] * 10 + [429] * 2

    assert log_in(own).status_code == 200


def test_a_browser_that_is_not_known_is_refused_with_the_stranger(own: Browser) -> None:
    guess(stranger(), 10)

    assert log_in(new_browser()).status_code == 429


def test_a_refusal_of_strangers_that_is_remembered_says_nothing_of_a_known_browser(
    own: Browser, shared: OwnRedis
) -> None:
    guess(stranger(), 12)

    assert log_in(own).status_code == 200


def test_a_stranger_in_the_same_network_keeps_nobody_out_of_their_own_browser(own: Browser, settings: Any) -> None:
    for number in range(10):
        guess(new_browser(), 10, identifier=f"person{number}@example.org")
    assert guess(new_browser(), 1, identifier="another@example.org") == [429]

    assert log_in(own).status_code == 200


def test_a_known_browser_has_no_more_guesses_than_a_stranger(own: Browser) -> None:
    assert guess(own, 20) == [401] * 10 + [429] * 10


def test_a_known_browser_that_is_refused_costs_no_query_for_a_moment(own: Browser, shared: OwnRedis) -> None:
    guess(own, 11)

    with counted() as asked:
        assert guess(own, 1) == [429]

    assert asked.queries == 0


def test_what_was_guessed_in_a_stolen_browser_leaves_the_person_their_others(own: Browser) -> None:
    other = known_browser()
    guess(own, 11)

    assert (log_in(own).status_code, log_in(other).status_code) == (429, 200)
    assert log_in(new_browser()).status_code == 200


def test_a_success_in_a_known_browser_gives_its_own_guess_back(own: Browser) -> None:
    guess(own, 9)
    again = with_device(own.cookies[COOKIE].value)
    assert log_in(again).status_code == 200

    assert guess(own, 2) == [401, 429]


@pytest.mark.parametrize("spelling", ["ALICE@example.org", " alice@example.org ", "alice"])
def test_other_names_of_one_person_are_no_other_budget_of_the_browser(spelling: str, own: Browser) -> None:
    User.objects.update(username="alice")
    guess(own, 10)

    assert log_in(own, identifier=spelling).status_code == 429


def test_the_browser_of_somebody_else_counts_as_a_stranger(own: Browser) -> None:
    make_user("mallory@example.org")
    attacker = known_browser("mallory@example.org")

    assert guess(attacker, 11) == [401] * 10 + [429]
    assert guess(stranger(), 1) == [429]


def test_many_browsers_of_another_account_give_no_more_guesses(own: Browser) -> None:
    make_user("mallory@example.org")
    browsers = [known_browser("mallory@example.org") for _browser in range(3)]

    statuses = [status for browser in browsers for status in guess(browser, 10)]

    assert statuses.count(401) == 10


@pytest.mark.parametrize("identifier", ["alice@example.org", "nobody@example.org"])
def test_a_cookie_that_nobody_signed_gives_no_more_guesses(identifier: str, own: Browser) -> None:
    cookie = own.cookies[COOKIE].value
    forged = [cookie[:-1] + ("A" if cookie[-1] != "A" else "B"), cookie.partition(":")[0], "ead_" + "x" * 43, ""]

    statuses = [status for one in forged for status in guess(with_device(one), 5, identifier=identifier)]

    assert statuses == [401] * 10 + [429] * 10


@pytest.mark.parametrize("change", [devices.forget_device, devices.block_device])
def test_a_browser_that_was_forgotten_or_blocked_counts_as_a_stranger(change: Any, own: Browser) -> None:
    change(device=Device.objects.get())

    guess(own, 10)

    assert log_in(new_browser()).status_code == 429


def test_one_who_is_described_only_is_known_to_nobody(alice: Any) -> None:
    log_in(new_browser(), transport="token")
    Device.objects.update(has_cookie=False)
    guess(stranger(), 10)

    assert log_in(new_browser(), transport="token").status_code == 429


@pytest.mark.parametrize("who", ["alice@example.org", "nobody@example.org"])
def test_a_guess_is_charged_by_one_statement_whoever_is_named(who: str, own: Browser) -> None:
    with counted() as in_browser:
        guess(own, 1, identifier=who)
    with counted() as elsewhere:
        guess(new_browser(), 1, identifier=who)

    assert in_browser.queries == elsewhere.queries
    assert [sql.split()[0] for sql in in_browser.statements if "guessbudget" in sql] == ["WITH"]


def test_a_right_login_in_a_known_browser_costs_no_statement_more(own: Browser) -> None:
    cookie = own.cookies[COOKIE].value
    with counted() as known:
        log_in(own)
    with counted() as once_more:
        log_in(with_device(cookie))
    with counted() as without:
        log_in(new_browser())

    assert known.queries == once_more.queries <= without.queries
    assert {len(_charges(costs.statements)) for costs in (known, without)} == {1}


def _charges(statements: Iterable[str]) -> list[str]:
    return [sql for sql in statements if "INSERT INTO" in sql and "guessbudget" in sql]


@pytest.mark.parametrize("who", ["alice@example.org", "nobody@example.org"])
def test_unknown_and_known_identifiers_are_answered_alike_in_a_known_browser(who: str, own: Browser) -> None:
    answers = [log_in(own, identifier=who, password=WRONG) for _guess in range(11)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert answers[-1].json()["code"] == "too_many_attempts"


@pytest.mark.parametrize("where", [stranger, lambda: None])
def test_guesses_weigh_in_a_known_browser_wherever_they_were_made(where: Any, own: Browser, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "RISK_ASSESSOR": "auth_sessions.risk.AssessLogin"}
    guess(where() or own, 3)

    assert log_in(own).status_code == 200

    assert [reason["signal"] for reason in Session.objects.order_by("pk").last().risk_reasons] == ["recent_failures"]


def test_wrong_answers_of_a_stranger_keep_nobody_from_answering_in_their_own_browser(
    alice: Any, own: Browser, settings: Any
) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "LOGIN_STEPS": ["auth_core.testing.doubles.CodeStep"]}
    for _login in range(2):
        thief = stranger()
        token = log_in(thief).json()["token"]
        for _answer in range(5):
            post(thief, "login/answer", token=token, answer={"code": "000000"})
    token = log_in(thief).json()["token"]
    assert post(thief, "login/answer", token=token, answer={"code": "314159"}).status_code == 429

    token = log_in(own).json()["token"]

    assert post(own, "login/answer", token=token, answer={"code": "314159"}).status_code == 200


def test_a_link_that_strangers_asked_for_is_not_missing_in_ones_own_browser(own: Browser, settings: Any) -> None:
    settings.AUTH_CORE = {
        **settings.AUTH_CORE, "PUBLIC_URL": "https://auth.example.org", "OUTBOX_RELAY": "manual",
    }  # fmt: skip
    for number in range(5):
        for _mail in range(5):
            post(stranger(f"198.51.100.{number}"), "password/forgot", email="alice@example.org")
    assert post(new_browser(), "password/forgot", email="alice@example.org").status_code == 429

    assert [post(own, "password/forgot", email="alice@example.org").status_code for _mail in range(6)] == [
        *[202] * 5,
        429,
    ]


@pytest.mark.parametrize("network", ["192.0.2.1", "2001:db8:1:2::/64"])
def test_rows_are_charged_in_one_order_so_that_two_callers_cannot_wait_for_each_other(
    network: str, own: Browser
) -> None:
    client = Client(network=network, device_credential=own.cookies[COOKIE].value)

    keys = [piece.key for piece in limits.charge("login", identifier="alice@example.org", client=client).charged]

    assert len(keys) >= 3
    assert keys == sorted(keys)


def test_what_was_typed_by_strangers_does_not_stand_in_the_keys(own: Browser) -> None:
    guess(own, 1)

    assert "alice" not in str(list(GuessBudget.objects.values_list("key", flat=True)))


def test_a_budget_of_devices_that_a_site_does_not_have_is_not_used(own: Browser, settings: Any) -> None:
    login = {"identifier": (10, timedelta(minutes=15)), "network": (100, timedelta(minutes=15))}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": {"login": login}}
    guess(stranger(), 10)

    assert log_in(own).status_code == 429
