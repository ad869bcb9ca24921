"""Budgets of guesses in a known browser. Strangers cannot exhaust them, and they allow no extra guesses."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core import limits
from auth_core.models import GuessBudget
from auth_core.request.client import Client
from auth_core.testing.browsers import answer, log_in, new_browser, post
from auth_core.testing.counts import counted
from auth_core.testing.factories import PASSWORD, make_user
from auth_core.testing.redis import OwnRedis
from auth_core.testing.settings import redis_url
from auth_sessions import devices
from auth_sessions.models import Device, Session

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

COOKIE = "__Host-device"
WRONG = "not the password at all"


@pytest.fixture
def own(alice: Any) -> Browser:
    """Alice's own browser. She has signed in with it once and signed out."""
    return known_browser()


def known_browser(identifier: str = "alice@example.org", password: str = PASSWORD) -> Browser:
    """Return a browser in which a login was completed, with nothing but its device cookie."""
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


def test_guesses_of_a_stranger_do_not_block_a_known_browser(own: Browser) -> None:
    assert guess(stranger(), 12) == [401] * 10 + [429] * 2

    assert log_in(own).status_code == 200


def test_an_unknown_browser_shares_the_budget_of_strangers(own: Browser) -> None:
    guess(stranger(), 10)

    assert log_in(new_browser()).status_code == 429


def test_a_cached_refusal_of_strangers_does_not_apply_to_a_known_browser(own: Browser, shared: OwnRedis) -> None:
    guess(stranger(), 12)

    assert log_in(own).status_code == 200


def test_a_stranger_in_the_same_network_does_not_block_a_known_browser(own: Browser, settings: Any) -> None:
    for number in range(10):
        guess(new_browser(), 10, identifier=f"person{number}@example.org")
    assert guess(new_browser(), 1, identifier="another@example.org") == [429]

    assert log_in(own).status_code == 200


def test_a_known_browser_has_no_more_guesses_than_a_stranger(own: Browser) -> None:
    assert guess(own, 20) == [401] * 10 + [429] * 10


def test_a_repeated_refusal_of_a_known_browser_costs_no_query(own: Browser, shared: OwnRedis) -> None:
    guess(own, 11)

    with counted() as cost:
        assert guess(own, 1) == [429]

    assert cost.queries == 0


def test_guesses_in_a_stolen_browser_do_not_block_other_browsers(own: Browser) -> None:
    other = known_browser()
    guess(own, 11)

    assert (log_in(own).status_code, log_in(other).status_code) == (429, 200)
    assert log_in(new_browser()).status_code == 200


def test_a_success_in_a_known_browser_refunds_only_its_own_guess(own: Browser) -> None:
    guess(own, 9)
    again = with_device(own.cookies[COOKIE].value)
    assert log_in(again).status_code == 200

    assert guess(own, 2) == [401, 429]


@pytest.mark.parametrize("spelling", ["ALICE@example.org", " alice@example.org ", "alice"])
def test_all_identifiers_of_a_user_share_the_budget_of_the_browser(spelling: str, own: Browser) -> None:
    User.objects.update(username="alice")
    guess(own, 10)

    assert log_in(own, identifier=spelling).status_code == 429


def test_another_users_browser_counts_as_a_stranger(own: Browser) -> None:
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
def test_a_forged_cookie_gives_no_more_guesses(identifier: str, own: Browser) -> None:
    cookie = own.cookies[COOKIE].value
    forged = [cookie[:-1] + ("A" if cookie[-1] != "A" else "B"), cookie.partition(":")[0], "ead_" + "x" * 43, ""]

    statuses = [status for value in forged for status in guess(with_device(value), 5, identifier=identifier)]

    assert statuses == [401] * 10 + [429] * 10


@pytest.mark.parametrize("change", [devices.forget_device, devices.block_device])
def test_a_forgotten_or_blocked_browser_counts_as_a_stranger(change: Any, own: Browser) -> None:
    change(device=Device.objects.get())

    guess(own, 10)

    assert log_in(new_browser()).status_code == 429


def test_a_described_device_is_never_known(alice: Any) -> None:
    log_in(new_browser(), transport="token")
    Device.objects.update(has_cookie=False)
    guess(stranger(), 10)

    assert log_in(new_browser(), transport="token").status_code == 429


@pytest.mark.parametrize("who", ["alice@example.org", "nobody@example.org"])
def test_a_guess_is_charged_with_one_statement(who: str, own: Browser) -> None:
    with counted() as in_browser:
        guess(own, 1, identifier=who)
    with counted() as elsewhere:
        guess(new_browser(), 1, identifier=who)

    assert in_browser.queries == elsewhere.queries
    assert [sql.split()[0] for sql in in_browser.statements if "guessbudget" in sql] == ["WITH"]


def test_a_login_in_a_known_browser_costs_no_extra_statement(own: Browser) -> None:
    cookie = own.cookies[COOKIE].value
    with counted() as in_known_browser:
        log_in(own)
    with counted() as once_more:
        log_in(with_device(cookie))
    with counted() as without:
        log_in(new_browser())

    assert in_known_browser.queries == once_more.queries <= without.queries
    assert {len(_charges(costs.statements)) for costs in (in_known_browser, without)} == {1}


def _charges(statements: Iterable[str]) -> list[str]:
    return [sql for sql in statements if "INSERT INTO" in sql and "guessbudget" in sql]


@pytest.mark.parametrize("who", ["alice@example.org", "nobody@example.org"])
def test_known_and_unknown_identifiers_get_the_same_answers_in_a_known_browser(who: str, own: Browser) -> None:
    answers = [log_in(own, identifier=who, password=WRONG) for _guess in range(11)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert answers[-1].json()["code"] == "too_many_attempts"


@pytest.mark.parametrize("where", [stranger, lambda: None])
def test_failed_guesses_from_anywhere_count_in_the_risk_score(where: Any, own: Browser, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "RISK_ASSESSOR": "auth_sessions.risk.AssessLogin"}
    guess(where() or own, 3)

    assert log_in(own).status_code == 200

    assert [reason["signal"] for reason in Session.objects.order_by("pk").last().risk_reasons] == ["recent_failures"]


def test_wrong_answers_of_a_stranger_do_not_block_a_known_browser(alice: Any, own: Browser, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "LOGIN_STEPS": ["auth_core.testing.doubles.CodeStep"]}
    for _login in range(2):
        thief = stranger()
        token = log_in(thief).json()["token"]
        for _answer in range(5):
            answer(thief, token, code="000000")
    token = log_in(thief).json()["token"]
    assert answer(thief, token, code="314159").status_code == 429

    token = log_in(own).json()["token"]

    assert answer(own, token, code="314159").status_code == 200


def test_mail_requests_of_strangers_do_not_block_a_known_browser(own: Browser, settings: Any) -> None:
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
def test_budget_rows_are_charged_in_one_order_to_avoid_deadlocks(network: str, own: Browser) -> None:
    client = Client(network=network, device_credential=own.cookies[COOKIE].value)

    keys = [charge.key for charge in limits.charge("login", identifier="alice@example.org", client=client).charged]

    assert len(keys) >= 3
    assert keys == sorted(keys)


def test_budget_keys_contain_no_identifier(own: Browser) -> None:
    guess(own, 1)

    assert "alice" not in str(list(GuessBudget.objects.values_list("key", flat=True)))


def test_without_a_device_budget_a_known_browser_has_no_exception(own: Browser, settings: Any) -> None:
    login = {"identifier": (10, timedelta(minutes=15)), "network": (100, timedelta(minutes=15))}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": {"login": login}}
    guess(stranger(), 10)

    assert log_in(own).status_code == 429
