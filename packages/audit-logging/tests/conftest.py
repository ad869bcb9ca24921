"""Fixtures of this package's tests."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser

from auth_core.testing.factories import make_user
from auth_core.testing.postgresql import run_on_own_server
from auth_core.testing.sessions import sign_in


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    """Use a PostgreSQL that runs only these tests. Sealing waits for every transaction of its server."""
    with run_on_own_server():
        yield


@pytest.fixture
def auditor(db: None) -> Browser:
    """The browser of a user who may read the trail."""
    user = make_user("auditor@example.org")
    user.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
    return sign_in(user)
