"""Fixtures of this package's tests."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser

from auth_core.testing.factories import make_user
from auth_core.testing.sessions import sign_in


@pytest.fixture
def auditor(db: None) -> Browser:
    """The browser of a user who may read the trail."""
    user = make_user("auditor@example.org")
    user.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
    return sign_in(user)
