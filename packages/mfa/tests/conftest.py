"""Fixtures of this package's tests."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from auth_core.testing import browsers
from auth_core.testing.browsers import code_of, new_browser, post, with_csrf
from auth_core.testing.factories import PASSWORD
from auth_mfa import totp
from auth_mfa.models import TotpFactor

__all__ = [
    "KEY",
    "PASSWORD",
    "answer",
    "code_of",
    "current_code",
    "enrolled",
    "log_in",
    "new_browser",
    "post",
    "with_csrf",
]

KEY = b"12345678901234567890"


def log_in(browser: Browser, identifier: str = "alice") -> Any:
    return browsers.log_in(browser, identifier=identifier)


def answer(browser: Browser, challenged: Any, code: Any) -> Any:
    return browsers.answer(browser, challenged, code=code)


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
def signed_in(alice: User, browser: Browser) -> Browser:
    """The browser of alice, a moment after she gave her password."""
    assert log_in(browser).status_code == 200
    return with_csrf(browser)
