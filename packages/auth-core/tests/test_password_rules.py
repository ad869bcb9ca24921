"""The password rules hold for every form, and passwords are compared exactly."""

from collections.abc import Callable
from typing import Any

import pytest
from argon2 import low_level
from django.test import Client as Browser

from auth_core.flows.account_creation import create_account
from auth_core.flows.first_administrator import new_bootstrap_link
from auth_core.flows.invitations import invite
from auth_core.request.client import Client
from auth_core.testing.browsers import code_of, log_in, logged_in, new_browser, post
from auth_core.testing.factories import PASSWORD, make_administrator
from auth_core.testing.mails import the_mail, token_in

pytestmark = pytest.mark.django_db

NEW = "another battery horse staple"


def by_signup(password: str) -> Any:
    return post(new_browser(), "signup", email="new@example.org", password=password)


def by_reset(password: str) -> Any:
    create_account(email="alice@example.org", password=PASSWORD, verified=True)
    post(new_browser(), "password/forgot", email="alice@example.org")
    return post(new_browser(), "password/reset", token=token_in(the_mail()), password=password)


def by_change(password: str) -> Any:
    create_account(email="alice@example.org", password=PASSWORD, verified=True)
    browser = logged_in()
    return post(browser, "password/change", current_password=PASSWORD, new_password=password)


def by_invitation(password: str) -> Any:
    invite(email="bob@example.org", actor=make_administrator(), client=Client())
    return post(new_browser(), "invitations/accept", token=token_in(the_mail()), password=password)


def by_setup(password: str) -> Any:
    browser = Browser()
    browser.get(new_bootstrap_link().removeprefix("https://auth.example.org"))
    return browser.post("/setup/", {"email": "root@example.org", "password": password})


PLACES: list[Callable[[str], Any]] = [by_signup, by_reset, by_change, by_invitation, by_setup]
everywhere = pytest.mark.parametrize("choose", PLACES, ids=lambda place: place.__name__)


@pytest.mark.asvs("6.2.1")
@everywhere
@pytest.mark.parametrize(
    ("password", "is_taken"), [("kettle-7", False), ("kettle-lamp-14", False), ("kettle-lamp-015", True)]
)
def test_a_password_has_at_least_fifteen_characters(
    password: str, is_taken: bool, choose: Callable[[str], Any]
) -> None:
    assert (choose(password).status_code < 400) is is_taken


@pytest.mark.asvs("6.2.4")
@everywhere
def test_a_common_password_is_refused(choose: Callable[[str], Any], settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PASSWORD_MIN_LENGTH": 8}

    assert choose("password123").status_code == 400


@pytest.mark.asvs("6.2.9")
@everywhere
@pytest.mark.parametrize(
    ("password", "is_taken"), [("kettle-lamp " * 10 + "kettle-8", True), ("k" * 129, False), ("k" * 4096, False)]
)
def test_128_characters_are_accepted_and_more_are_refused_before_any_hash(
    password: str, is_taken: bool, choose: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    hash_secret = low_level.hash_secret

    def counted(secret: bytes, *args: Any, **kwargs: Any) -> Any:
        hashed.append(secret.decode())
        return hash_secret(secret, *args, **kwargs)

    monkeypatch.setattr(low_level, "hash_secret", counted)

    assert (choose(password).status_code < 400) is is_taken
    assert (password in hashed) is is_taken


LONG = "kettle-lamp " * 6 + "k"


@pytest.mark.asvs("6.2.8")
@pytest.mark.parametrize(
    ("right", "typed"),
    [
        (f"{PASSWORD} ", PASSWORD),
        (PASSWORD, f"{PASSWORD} "),
        (PASSWORD, PASSWORD.swapcase()),
        (f"{LONG}a", f"{LONG}b"),
        (PASSWORD, f"{PASSWORD}\x00"),
        (PASSWORD, f"\x00{PASSWORD}"),
    ],
    ids=["a space less", "a space more", "case", "the 74th byte", "NUL after", "NUL before"],
)
def test_a_password_is_compared_exactly(right: str, typed: str) -> None:
    create_account(email="alice@example.org", password=right, verified=True)

    assert log_in(new_browser(), password=typed).status_code in (400, 401)
    assert log_in(new_browser(), password=right).status_code == 200


@pytest.mark.asvs("6.2.3")
@pytest.mark.parametrize("body", [{"new_password": NEW}, {"current_password": "", "new_password": NEW}, {}])
def test_a_change_without_the_current_password_changes_nothing(body: dict[str, str], alice: Any) -> None:
    browser = logged_in()

    refused = post(browser, "password/change", **body)

    assert (refused.status_code, code_of(refused)) in {(400, "invalid_request"), (401, "invalid_credentials")}
    assert log_in(new_browser(), password=PASSWORD).status_code == 200
