"""Fixtures of this package's tests."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.testing import browsers
from auth_core.testing.browsers import code_of, new_browser, post, with_csrf
from auth_core.testing.factories import PASSWORD
from auth_mfa.testing.factors import KEY, current_code
from auth_mfa.testing.factors import add_totp as enrolled
from partial_login_site import bob, partial_login_site, secured

__all__ = [
    "KEY",
    "PASSWORD",
    "answer",
    "bob",
    "code_of",
    "current_code",
    "enrolled",
    "log_in",
    "new_browser",
    "partial_login_site",
    "post",
    "secured",
    "with_csrf",
]


def log_in(browser: Browser, identifier: str = "alice") -> Any:
    return browsers.log_in(browser, identifier=identifier)


def answer(browser: Browser, challenged: Any, code: Any) -> Any:
    return browsers.answer(browser, challenged, code=code)


@pytest.fixture
def alice(db: None) -> User:
    """A user with a password."""
    return User.objects.create_user("alice", "alice@example.org", PASSWORD)


@pytest.fixture
def signed_in(alice: User, browser: Browser) -> Browser:
    """Alice's browser with a fresh password login."""
    assert log_in(browser).status_code == 200
    return with_csrf(browser)
