"""Fixtures of this package's tests."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from auth_mfa import totp
from auth_mfa.models import TotpFactor

PASSWORD = "correct horse battery staple"
KEY = b"12345678901234567890"


def post(browser: Browser, path: str, **body: Any) -> Any:
    return browser.post(f"/api/v1/{path}/", body, content_type="application/json")


def code_of(answer: Any) -> Any:
    return answer.json()["code"]


def new_browser() -> Browser:
    browser = Browser(enforce_csrf_checks=True)
    return with_csrf(browser)


def with_csrf(browser: Browser) -> Browser:
    browser.defaults["HTTP_X_CSRFTOKEN"] = browser.get("/api/v1/csrf/").json()["csrf_token"]
    return browser


def log_in(browser: Browser, identifier: str = "alice") -> Any:
    return post(browser, "login", identifier=identifier, password=PASSWORD)


def answer(browser: Browser, challenged: Any, code: Any) -> Any:
    return post(browser, "login/answer", token=challenged.json()["token"], answer={"code": code})


def current_code(key: bytes = KEY, steps: int = 0) -> str:
    return totp.code_at(key, totp.step_at(timezone.now().timestamp()) + steps)


def enrolled(user: Any, *, key: bytes = KEY, name: str = "Phone") -> TotpFactor:
    factor: TotpFactor = TotpFactor.objects.create(user=user, name=name, seed=totp.to_base32(key), confirmed=True)
    return factor


@pytest.fixture
def alice(db: None) -> User:
    """Somebody with a password."""
    return User.objects.create_user("alice", "alice@example.org", PASSWORD)


@pytest.fixture
def browser() -> Browser:
    """A browser that has fetched the CSRF token, as a page would."""
    return new_browser()


@pytest.fixture
def signed_in(alice: User, browser: Browser) -> Browser:
    """The browser of alice, a moment after she gave her password."""
    assert log_in(browser).status_code == 200
    return with_csrf(browser)
