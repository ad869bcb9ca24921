"""Budgets of login guesses and the refund of a success."""

from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.testing.browsers import log_in

pytestmark = pytest.mark.django_db


@pytest.mark.asvs("2.4.1")
def test_the_budget_of_an_identifier_ends_in_429(alice: Any, browser: Browser) -> None:
    for _guess in range(10):
        assert log_in(browser, password="not the password at all").status_code == 401

    refused = log_in(browser)

    assert refused.status_code == 429
    assert refused.json()["code"] == "too_many_attempts"
    assert 0 < int(refused.headers["Retry-After"]) <= 900


def test_the_budget_is_charged_for_unknown_identifiers_too(browser: Browser) -> None:
    for _guess in range(10):
        log_in(browser, identifier="nobody@example.org")

    assert log_in(browser, identifier="NOBODY@Example.org").status_code == 429


def test_a_success_refunds_its_own_guess_only(alice: Any, browser: Browser) -> None:
    for _round in range(9):
        log_in(browser, password="not the password at all")
    for _round in range(3):
        assert log_in(browser).status_code == 200
        browser.defaults["HTTP_X_CSRFTOKEN"] = browser.cookies["csrftoken"].value

    assert log_in(browser, password="not the password at all").status_code == 401
    assert log_in(browser).status_code == 429
