"""Budgets for wide networks, requesting networks and correct guesses."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from auth_core import limits
from auth_core.conf import CoreSettings
from auth_core.errors import TooManyAttempts
from auth_core.hashers import Argon2idHasher
from auth_core.models import GuessBudget, PendingLogin
from auth_core.request.client import Client
from auth_core.testing.browsers import answer, code_of, log_in, logged_in, new_browser, post
from auth_core.testing.factories import PASSWORD
from auth_core.testing.hashes import hashing_elsewhere
from auth_core.testing.parallel import tally
from conftest import DOUBLES

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
MANY = (10_000, HOUR)
EMAIL = "alice@example.org"


def network(number: int, *, wide: str = "2001:db8:1") -> Client:
    """Return a client in one of the 65,536 networks of a /48."""
    return Client(ip=f"{wide}:{number:x}::1", network=f"{wide}:{number:x}::/64")


def from_address(ip: str) -> Browser:
    browser = new_browser()
    browser.defaults["REMOTE_ADDR"] = ip
    return browser


def budgets(settings: Any, **uses: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": uses}


def charge(use: str = "login", **counted: Any) -> Any:
    try:
        return limits.charge(use, **counted)
    except TooManyAttempts as refused:
        return refused


def right_logins(number: int, **body: Any) -> list[int]:
    return [log_in(new_browser(), **body).status_code for _login in range(number)]


def test_every_budget_by_network_has_one_by_wide_network() -> None:
    counting = {use: set(named) for use, named in CoreSettings.BUDGETS.default.items() if "network" in named}

    assert len(counting) == 12
    assert all("wide_network" in named for named in counting.values())
    assert ["wide_network_total" in named for named in counting.values() if "network_total" in named] == [True, False]


def test_a_wide_network_counts_all_networks_in_it() -> None:
    guesses = [charge(identifier=f"person{number}@example.org", client=network(number)) for number in range(305)]

    assert tally(guesses) == {"Charge": 300, "too_many_attempts": 5}
    assert isinstance(charge(identifier="a@example.org", client=network(1, wide="2001:db8:2")), limits.Charge)


@pytest.mark.parametrize(
    ("client", "wide"),
    [
        (network(7), "2001:db8:1::/48"),
        (Client(ip="192.0.2.1", network="192.0.2.1"), ""),
        (Client(), ""),
    ],
)
def test_a_wide_network_is_the_48_of_an_ipv6_address(client: Client, wide: str) -> None:
    assert client.wide_network == wide


def test_wrong_passwords_from_all_networks_of_a_48_are_refused_over_http() -> None:
    statuses = [
        log_in(from_address(f"2001:db8:1:{number % 40:x}::1"), identifier=f"person{number}@example.org").status_code
        for number in range(302)
    ]

    assert statuses == [401] * 300 + [429] * 2


def test_mails_to_an_address_have_a_budget_for_each_requesting_network() -> None:
    from_one = [charge("mail", identifier=EMAIL, client=network(1)) for _mail in range(6)]
    elsewhere = [
        charge("mail", identifier=EMAIL, client=Client(network=f"192.0.2.{number}"))
        for number in range(4)
        for _mail in range(5)
    ]

    assert tally(from_one) == {"Charge": 5, "too_many_attempts": 1}
    assert tally(elsewhere) == {"Charge": 15, "too_many_attempts": 5}, "and no more than twenty altogether"


def test_the_networks_of_one_48_share_the_mail_budget() -> None:
    results = [charge("mail", identifier=EMAIL, client=network(number)) for number in range(6)]

    assert tally(results) == {"Charge": 5, "too_many_attempts": 1}


def test_unknown_networks_share_the_mail_budget() -> None:
    results = [charge("mail", identifier=EMAIL, client=Client()) for _mail in range(6)]

    assert tally(results) == {"Charge": 5, "too_many_attempts": 1}


def test_links_requested_by_a_stranger_do_not_block_the_owner(alice: Any) -> None:
    stranger, owner = from_address("198.51.100.7"), from_address("192.0.2.1")
    statuses = [post(stranger, "password/forgot", email=EMAIL).status_code for _mail in range(6)]

    assert statuses == [202] * 5 + [429]
    assert post(owner, "password/forgot", email=EMAIL).status_code == 202


@pytest.mark.parametrize("what", ["identifier_total", "network_total"])
def test_correct_logins_beyond_their_budget_are_not_hashed(
    what: str, alice: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets(settings, login={"identifier": MANY, "network": MANY, what: (3, HOUR)})
    assert right_logins(3) == [200] * 3
    hashed: list[str] = []
    verify = Argon2idHasher.verify
    monkeypatch.setattr(
        Argon2idHasher, "verify", lambda self, *arguments: hashed.append("") or verify(self, *arguments)
    )

    refused = log_in(new_browser())

    assert (refused.status_code, code_of(refused), hashed) == (429, "too_many_attempts", [])


def test_correct_logins_of_a_wide_network_have_a_budget(settings: Any) -> None:
    budgets(settings, login={"identifier": MANY, "network_total": MANY, "wide_network_total": (3, HOUR)})
    for number in range(3):
        charge(identifier=EMAIL, client=network(number)).refund()

    assert isinstance(charge(identifier=EMAIL, client=network(9)), TooManyAttempts)


def test_the_logins_of_one_person_in_an_hour_are_bounded(alice: Any, settings: Any) -> None:
    hourly = CoreSettings.BUDGETS.default["login"]
    budgets(settings, login={**hourly, "identifier_total": (5, HOUR)})

    assert right_logins(8) == [200] * 5 + [429] * 3


@pytest.mark.parametrize("what", ["identifier_total", "device_total", "network_total", "wide_network_total"])
def test_the_default_budgets_bound_correct_logins(what: str) -> None:
    assert CoreSettings.BUDGETS.default["login"][what][1] == HOUR


def test_a_guess_that_was_not_checked_is_fully_refunded(alice: Any, settings: Any) -> None:
    settings.AUTH_CORE = {
        **settings.AUTH_CORE, "MAX_PARALLEL_HASHES": 1, "HASH_WAIT": timedelta(milliseconds=1),
    }  # fmt: skip
    with hashing_elsewhere():
        assert log_in(new_browser()).status_code == 503

    assert set(GuessBudget.objects.values_list("used", flat=True)) == {0}


def test_a_correct_guess_is_refunded_except_for_its_totals() -> None:
    paid = charge(identifier=EMAIL, client=network(1))

    paid.refund()
    paid.refund()
    paid.cancel()

    assert sorted(GuessBudget.objects.values_list("used", flat=True)) == [0, 0, 0, 1, 1, 1]


def test_guesses_at_the_current_password_have_a_budget(alice: Any, settings: Any) -> None:
    shipped = CoreSettings.BUDGETS.default["password"]
    assert shipped["person_total"][1] == HOUR
    budgets(settings, password={**shipped, "person_total": (3, HOUR)})
    browser = logged_in()

    statuses = [
        post(browser, "password/change", current_password=PASSWORD, new_password=PASSWORD).status_code
        for _change in range(4)
    ]

    assert statuses == [400] * 3 + [429]


def test_step_ups_have_a_budget(alice: Any, settings: Any) -> None:
    assert CoreSettings.BUDGETS.default["begun"]["person"][1] == HOUR
    budgets(settings, begun={"person": (3, HOUR)})
    browser = logged_in()

    statuses = [post(browser, "reauthenticate", required_assurance="aal1").status_code for _step_up in range(4)]

    assert statuses == [202] * 3 + [429]
    assert PendingLogin.objects.filter(purpose="step_up").count() == 3


@pytest.mark.parametrize("by", ["api", "page"])
def test_changes_to_own_data_have_a_budget(by: str, alice: Any, settings: Any) -> None:
    assert CoreSettings.BUDGETS.default["change"]["person"][1] == HOUR
    budgets(settings, change={"person": (2, HOUR)})
    browser = logged_in()

    statuses = [
        post(browser, "password/change", current_password="wrong", new_password=PASSWORD).status_code
        if by == "api"
        else browser.post("/account/password/", {}).status_code
        for _change in range(3)
    ]

    assert statuses == [401 if by == "api" else 400] * 2 + [429]


def test_choices_of_a_factor_have_a_budget(alice: Any, settings: Any) -> None:
    budgets(settings, choice={"person": (3, HOUR)})
    settings.AUTH_CORE = {**settings.AUTH_CORE, "LOGIN_STEPS": [f"{DOUBLES}.CodeStep"]}
    browser = new_browser()
    challenged = log_in(browser)

    chosen = [
        post(browser, "login/challenge", token=challenged.json()["token"], choice="phone").status_code
        for _choice in range(4)
    ]

    assert chosen == [202] * 3 + [429]
    assert answer(browser, challenged, code="314159").status_code == 200


@pytest.mark.parametrize("name", ["nothing", "nothing_total", "nothing_network"])
def test_a_budget_for_an_unknown_dimension_is_an_error(name: str, settings: Any) -> None:
    budgets(settings, login={"identifier": MANY, name: MANY})

    with pytest.raises(ValueError, match=name):
        limits.charge("login", identifier=EMAIL, client=Client())
