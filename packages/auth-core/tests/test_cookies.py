"""The cookies of this package are hidden from scripts, other sites and other hosts."""

from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.testing.browsers import log_in, logged_in, new_browser, post, sign_up
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import link_in, the_mail
from conftest import DOUBLES

pytestmark = [pytest.mark.django_db, pytest.mark.asvs("3.3.1")]


def of_a_login(settings: Any) -> Any:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "LOGIN_STEPS": [f"{DOUBLES}.CodeStep"]}
    browser = new_browser()
    log_in(browser)
    return browser.cookies["__Host-login"]


def of_a_sign_up(settings: Any) -> Any:
    browser = new_browser()
    sign_up(browser, "new@example.org")
    return browser.cookies["__Host-login"]


def of_a_link(settings: Any) -> Any:
    post(new_browser(), "password/forgot", email="alice@example.org")
    browser = Browser()
    browser.get(link_in(the_mail()).removeprefix("https://auth.example.org"))
    return browser.cookies["__Host-link"]


@pytest.mark.parametrize("made", [of_a_login, of_a_sign_up, of_a_link])
def test_cookies_are_host_only_and_not_readable_by_scripts(made: Any, alice: Any, settings: Any) -> None:
    cookie = made(settings)

    assert cookie.value
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert 0 < int(cookie["max-age"]) <= 24 * 3600


@pytest.mark.asvs("3.5.1")
@pytest.mark.parametrize("by", ["api", "page"])
def test_a_login_rotates_the_csrf_token(by: str, alice: Any) -> None:
    browser = new_browser()
    before = browser.cookies["csrftoken"].value

    if by == "api":
        log_in(browser)
    else:
        browser.post("/login/", {"identifier": "alice@example.org", "password": PASSWORD})

    assert browser.get("/api/v1/me/").status_code == 200
    assert browser.cookies["csrftoken"].value != before


@pytest.mark.asvs("3.5.1")
def test_the_csrf_token_from_before_a_login_is_refused_after_it(alice: Any) -> None:
    browser = new_browser()
    log_in(browser)

    assert post(browser, "logout").status_code == 403


def test_a_logout_rotates_the_csrf_token(alice: Any) -> None:
    browser = logged_in()
    before = browser.cookies["csrftoken"].value

    post(browser, "logout")

    assert browser.cookies["csrftoken"].value != before
