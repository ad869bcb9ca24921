"""Fixtures of this package's tests."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser

from auth_core.account_creation import create_account

PASSWORD = "correct horse battery staple"


@pytest.fixture
def alice(db: None) -> Any:
    """Somebody with a proven address."""
    return create_account(email="alice@example.org", password=PASSWORD, verified=True)


@pytest.fixture
def auditor(db: None) -> Browser:
    """The browser of somebody who may read the trail."""
    user = create_account(email="auditor@example.org", password=PASSWORD, verified=True)
    user.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
    browser = Browser()
    browser.force_login(user, backend="auth_core.backends.IdentifierBackend")
    return browser
