"""Parallel guesses in a known browser do not exceed its budget."""

from datetime import timedelta
from functools import partial
from itertools import chain
from typing import Any

import pytest

from auth_core import limits
from auth_core.errors import TooManyAttempts
from auth_core.models import GuessBudget
from auth_core.request.client import Client
from auth_core.testing.browsers import log_in, new_browser
from auth_core.testing.parallel import at_once, tally

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture
def known_client(alice: Any) -> Client:
    """A client with the cookie of a browser in which alice has signed in."""
    browser = new_browser()
    log_in(browser)
    GuessBudget.objects.all().delete()
    cookie = browser.cookies["__Host-device"].value
    return Client(ip="192.0.2.1", network="192.0.2.1", device_credential=cookie)


def guess(client: Client, number: int = 5) -> list[Any]:
    return [_guess(client) for _guess_ in range(number)]


def _guess(client: Client) -> Any:
    try:
        return limits.charge("login", identifier="alice@example.org", client=client)
    except TooManyAttempts as refused:
        return refused


def test_200_parallel_guesses_in_a_known_browser_do_not_exceed_the_limit(known_client: Client) -> None:
    results = at_once([partial(guess, known_client)] * 40)

    assert tally(list(chain.from_iterable(results))) == {"Charge": 10, "too_many_attempts": 190}


def test_parallel_guesses_of_strangers_and_a_known_browser_do_not_deadlock(known_client: Client) -> None:
    """Their statements share the rows of the network. In different orders they would deadlock."""
    stranger = Client(ip="2001:db8::1", network="2001:db8::/64")
    in_known_browser = Client(
        ip="2001:db8::1", network="2001:db8::/64", device_credential=known_client.device_credential
    )

    results = at_once([partial(guess, stranger, 3), partial(guess, in_known_browser, 3)] * 10)

    assert tally(list(chain.from_iterable(results))) == {"Charge": 20, "too_many_attempts": 40}


def test_parallel_refunds_return_no_more_than_was_charged(known_client: Client) -> None:
    paid = [charge for charge in guess(known_client, 10) if isinstance(charge, limits.Charge)]

    at_once([charge.refund for charge in paid[:5]])

    assert tally(guess(known_client, 10)) == {"Charge": 5, "too_many_attempts": 5}


def test_a_window_of_a_known_browser_ends(known_client: Client, clock: Any) -> None:
    guess(known_client, 10)

    clock.forward(seconds=timedelta(minutes=15, seconds=1).total_seconds())

    assert tally(guess(known_client, 1)) == {"Charge": 1}
