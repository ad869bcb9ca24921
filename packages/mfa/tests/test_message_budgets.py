"""Beyond the budget no code is sent, on any path."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.conf import CoreSettings
from auth_core.testing.browsers import log_in, new_browser, post
from auth_core.testing.mails import delivered
from auth_core.testing.texts import delivered_texts
from auth_mfa.testing.factors import NUMBER, add_mailbox, add_phone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("captured_texts")]


def resent_in_a_login(browser: Browser) -> None:
    challenged = log_in(browser).json()
    for _code in range(9):
        post(browser, "login/challenge", token=challenged["token"], choice=challenged["challenge"]["choice"])


def one_of_each_login(browser: Browser) -> None:
    for _login in range(10):
        log_in(new_browser())


@pytest.mark.asvs("2.4.1")
@pytest.mark.parametrize("ask", [resent_in_a_login, one_of_each_login])
@pytest.mark.parametrize(("add", "came"), [(add_mailbox, delivered), (add_phone, delivered_texts)])
def test_a_login_sends_at_most_five_codes(
    ask: Callable[[Browser], None], add: Any, came: Any, alice: User, browser: Browser
) -> None:
    add(alice)

    ask(browser)

    assert len(came()) == 5


@pytest.mark.asvs("2.4.1")
@pytest.mark.parametrize(
    ("path", "body", "came"), [("mfa/email", {}, delivered), ("mfa/sms", {"number": NUMBER}, delivered_texts)]
)
def test_an_enrolment_sends_at_most_five_codes(
    path: str, body: dict[str, str], came: Any, alice: User, browser_of_alice: Browser
) -> None:
    for _enrolment in range(8):
        post(browser_of_alice, path, **body)

    assert len(came()) == 5


def test_codes_have_a_budget_for_each_network() -> None:
    uses = CoreSettings.BUDGETS.default

    assert uses["code"]["destination_network"][0] < uses["code"]["destination"][0]
    assert uses["sms"]["number_network"][0] < uses["sms"]["number"][0]
