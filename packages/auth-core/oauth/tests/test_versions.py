"""What a process remembers of an application is never used after the application changed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from oauth2_provider.models import get_application_model

from auth_core.oauth.clients.registry import find_application, remembered_application
from auth_core.oauth.hashers import new_client_secret
from auth_core.oauth.models import ApplicationPolicy
from auth_core.oauth.testing.factories import Registered, introspect, make_tokens, refresh

pytestmark = pytest.mark.django_db


def rotate_secret() -> None:
    row = get_application_model().objects.get()
    row.client_secret = new_client_secret()
    row.save()


def change_by_sql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE auth_oauth_applicationpolicy SET is_active = %s", [False])


def restrict_to_a_group() -> None:
    ApplicationPolicy.objects.get().allowed_groups.add(Group.objects.create(name="staff"))


CHANGES: dict[str, Callable[[], Any]] = {
    "disabled": lambda: ApplicationPolicy.objects.update(is_active=False),
    "disabled by SQL": change_by_sql,
    "another secret": rotate_secret,
    "another way to authenticate": lambda: ApplicationPolicy.objects.update(auth_method="client_secret_basic"),
    "deleted": lambda: get_application_model().objects.all().delete(),
    "without the grant": lambda: ApplicationPolicy.objects.update(grant_types="authorization_code"),
    "only for a group": restrict_to_a_group,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
@pytest.mark.parametrize("rotates", [True, False])
def test_a_change_counts_at_the_next_refresh(
    change: Callable[[], Any], rotates: bool, web: Registered, alice: Any
) -> None:
    ApplicationPolicy.objects.update(rotates_refresh_tokens=rotates)
    token = make_tokens(web, alice)["refresh_token"]
    token = refresh(web, token).json().get("refresh_token", token)

    change()

    assert refresh(web, token).status_code in (400, 401)


@pytest.mark.parametrize(
    "name", ["disabled", "disabled by SQL", "another secret", "another way to authenticate", "deleted"]
)
def test_a_change_counts_at_the_next_introspection(name: str, web: Registered, alice: Any) -> None:
    token = make_tokens(web, alice)["access_token"]
    assert introspect(web, token)["active"]

    CHANGES[name]()

    assert introspect(web, token).get("active", False) is False


def test_a_wrong_secret_is_refused_beside_a_remembered_one(web: Registered, alice: Any) -> None:
    token = make_tokens(web, alice)["access_token"]
    web.secret = "x" * 48

    assert introspect(web, token)["error"] == "invalid_client"


@pytest.mark.postgresql
def test_only_applications_that_exist_are_remembered(web: Registered) -> None:
    find_application("unknown")
    first = find_application(web.client_id)

    assert remembered_application("unknown") is None
    assert remembered_application(web.client_id) is first is find_application(web.client_id)
    get_application_model().objects.update(name="Renamed")
    second = find_application(web.client_id)
    assert first is not None
    assert second is not None
    assert first.version != second.version


@pytest.mark.sqlite
def test_without_versions_nothing_is_remembered(web: Registered) -> None:
    find_application(web.client_id)

    assert remembered_application(web.client_id) is None
