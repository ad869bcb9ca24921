"""The pages of passkeys, without a real browser."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import include, path

from auth_core.testing.browsers import log_in_on_page, text_of
from auth_mfa.models import WebauthnChallenge, WebauthnFactor
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import add_totp, current_code

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

urlpatterns = [
    path("account/second-factors/", include("auth_mfa.pages.urls")),
    path("", include("auth_core.pages.urls")),
]

ADD = "/account/second-factors/passkeys/add/"
LOGIN = "/account/second-factors/passkeys/login/"


@pytest.fixture
def key(alice: User) -> Authenticator:
    return Authenticator(backup_eligible=True).added_to(alice)


def options_in(page: str) -> Any:
    """Return the options on the page."""
    match = re.search(r'<script id="passkey-options" type="application/json">(.*?)</script>', page)
    assert match, page
    return json.loads(match[1])


def scripts_in(page: str) -> list[str]:
    """Return the inline scripts that a strict policy would refuse, without data blocks."""
    return re.findall(r"<script(?![^>]*(?:src=|application/json))[^>]*>", page)


def test_a_passkey_is_added_in_two_steps(alice: User) -> None:
    browser = Browser()
    log_in_on_page(browser)

    first = text_of(browser.get(ADD))
    began = browser.post(ADD)
    second = text_of(browser.get(ADD))
    made = Authenticator().make(options_in(second))
    added = browser.post(ADD, {"name": "Laptop", "credential": json.dumps(made)})

    assert "passkey-options" not in first
    assert (began.status_code, began.headers["Location"]) == (303, ADD)
    assert (added.status_code, added.headers["Location"]) == (303, "/account/second-factors/")
    assert WebauthnFactor.objects.get().name == "Laptop"
    assert "Laptop" in text_of(browser.get("/account/second-factors/"))
    assert (scripts_in(second), "style=" in second, "onclick" in second) == ([], False, False)


def test_following_a_link_begins_nothing(alice: User) -> None:
    browser = Browser()
    log_in_on_page(browser)

    for address in (ADD, LOGIN, LOGIN + "options/", "/login/"):
        browser.get(address)

    assert not WebauthnChallenge.objects.exists()


@pytest.mark.parametrize("sent", ["{", "[]", "{}", '{"id": 1}', "x" * 20_000, "[" * 10_000])
def test_a_malformed_passkey_shows_an_error_and_can_be_retried(sent: str, alice: User) -> None:
    browser = Browser()
    log_in_on_page(browser)
    browser.post(ADD)

    refused = browser.post(ADD, {"credential": sent})

    assert refused.status_code == 400
    assert 'role="alert"' in text_of(refused)
    assert options_in(text_of(refused))


def test_a_wrong_passkey_shows_an_error_and_begins_again(alice: User) -> None:
    browser = Browser()
    log_in_on_page(browser)
    browser.post(ADD)
    made = Authenticator().make(options_in(text_of(browser.get(ADD))), origin="https://evil.example.org")

    refused = browser.post(ADD, {"credential": json.dumps(made)})

    assert refused.status_code == 401
    assert "could not be verified" in text_of(refused)
    assert ">Continue</button>" in text_of(refused)


def test_a_challenge_shows_the_other_choices(key: Authenticator, alice: User) -> None:
    add_totp(alice, name="Phone")
    browser = Browser()
    assert log_in_on_page(browser).headers["Location"] == "/login/answer/"
    page = text_of(browser.get("/login/answer/"))
    if "passkey-options" not in page:
        browser.post("/login/choose/", {"choice": str(key.factor.pk)})
        page = text_of(browser.get("/login/answer/"))

    granted = browser.post("/login/answer/", {"credential": json.dumps(key.sign(options_in(page)))})

    assert "Try another way" in page
    assert ">Phone</button>" in page
    assert "Enter the code" not in page
    assert scripts_in(page) == []
    assert (granted.status_code, granted.headers["Location"]) == (303, "/account/")


def test_another_choice_works_without_scripts(key: Authenticator, alice: User) -> None:
    factor = add_totp(alice, name="Phone")
    browser = Browser()
    log_in_on_page(browser)

    browser.post("/login/choose/", {"choice": str(factor.pk)})
    granted = browser.post("/login/answer/", {"code": current_code()})

    assert granted.headers["Location"] == "/account/"


def test_a_challenge_can_be_repeated_after_a_wrong_answer(key: Authenticator) -> None:
    browser = Browser()
    log_in_on_page(browser)
    page = text_of(browser.get("/login/answer/"))
    wrong = key.sign(options_in(page), origin="https://evil.example.org")

    refused = browser.post("/login/answer/", {"credential": json.dumps(wrong)})
    choice = re.search(r'name="choice" value="([^"]+)"', text_of(refused))
    assert choice
    browser.post("/login/choose/", {"choice": choice[1]})
    again = options_in(text_of(browser.get("/login/answer/")))
    granted = browser.post("/login/answer/", {"credential": json.dumps(key.sign(again))})

    assert refused.status_code == 401
    assert "Try again" in text_of(refused)
    assert granted.headers["Location"] == "/account/"


def test_the_login_page_offers_passkeys_only_with_scripts(key: Authenticator) -> None:
    page = text_of(Browser().get("/login/?next=/account/password/"))

    form = re.search(r'<template class="passkeys"><form[^>]*data-passkey="login"[^>]*>', page)
    assert form
    assert 'action="/account/second-factors/passkeys/login/?next=%2Faccount%2Fpassword%2F"' in form[0]
    assert "username webauthn" in page
    assert scripts_in(page) == []


def test_a_site_without_passkeys_offers_none(settings: Any, db: None) -> None:
    settings.AUTH_MFA = {"METHODS": ["totp", "security_key"]}

    assert "passkey" not in text_of(Browser().get("/login/"))


def test_a_passkey_signs_in_and_continues_to_the_destination(key: Authenticator, alice: User) -> None:
    browser = Browser()

    begun = browser.post(LOGIN + "options/").json()
    credential = json.dumps(key.sign(begun["options"]))
    granted = browser.post(f"{LOGIN}?next=/account/password/", {"token": begun["token"], "credential": credential})

    assert (granted.status_code, granted.headers["Location"]) == (303, "/account/password/")
    assert browser.get("/account/").status_code == 200
    assert "__Host-login" not in {name for name, cookie in browser.cookies.items() if cookie.value}


def test_a_passkey_login_does_not_redirect_to_another_site(key: Authenticator) -> None:
    browser = Browser()

    begun = browser.post(LOGIN + "options/").json()
    credential = json.dumps(key.sign(begun["options"]))
    granted = browser.post(
        f"{LOGIN}?next=https://evil.example.org/", {"token": begun["token"], "credential": credential}
    )

    assert granted.headers["Location"] == "/account/"


@pytest.mark.parametrize("changed", [{"origin": "https://evil.example.org"}, {"credential_id": b"unknown"}], ids=str)
def test_a_wrong_passkey_does_not_sign_in(changed: dict[str, Any], key: Authenticator) -> None:
    browser = Browser()

    begun = browser.post(LOGIN + "options/").json()
    credential = json.dumps(key.sign(begun["options"], **changed))
    refused = browser.post(LOGIN, {"token": begun["token"], "credential": credential})

    assert refused.status_code == 401
    assert "not accepted" in text_of(refused)
    assert browser.get("/account/").status_code == 302


@pytest.mark.parametrize("sent", [{}, {"token": "x"}, {"token": "x", "credential": "{}"}, {"credential": "["}])
def test_garbage_does_not_sign_in(sent: dict[str, str], db: None) -> None:
    refused = Browser().post(LOGIN, sent)

    assert (refused.status_code, "not accepted" in text_of(refused)) == (400, True)


@pytest.mark.asvs("3.5.1")
def test_a_cross_site_page_begins_and_answers_nothing(key: Authenticator, alice: User) -> None:
    forged = Browser(enforce_csrf_checks=True)

    assert {forged.post(address).status_code for address in (LOGIN, LOGIN + "options/")} == {403}
    assert not WebauthnChallenge.objects.exists()


def test_the_script_receives_the_error_of_a_spent_budget(settings: Any, db: None) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": {"passkey": {"network": (1, timedelta(hours=1))}}}

    Browser().post(LOGIN + "options/")
    refused = Browser().post(LOGIN + "options/")

    assert (refused.status_code, refused.json()) == (429, {"code": "too_many_attempts"})
    assert int(refused.headers["Retry-After"]) >= 1
