"""Fixtures of the composition's tests."""

from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.account_creation import create_account

PASSWORD = "correct horse battery staple"


@pytest.fixture
def alice(db: None) -> Any:
    """Somebody with a proven address."""
    return create_account(email="alice@example.org", password=PASSWORD, verified=True)


@pytest.fixture
def browser() -> Browser:
    """A browser that has fetched the CSRF token, as a page would."""
    browser = Browser(enforce_csrf_checks=True)
    browser.defaults["HTTP_X_CSRFTOKEN"] = browser.get("/api/v1/csrf/").json()["csrf_token"]
    return browser
