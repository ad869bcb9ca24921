"""The refresh token at the token endpoint, over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group

from auth_core.events import Event
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import ApplicationPolicy, Authorization, RefreshToken
from auth_core.oauth.testing.factories import (
    Registered,
    introspect,
    make_application,
    make_tokens,
    refresh,
    session_facts,
    userinfo,
)
from auth_core.people.locking import disable_account, lock_account

pytestmark = pytest.mark.django_db


def test_a_public_application_gets_another_refresh_token(native: Registered, alice: Any) -> None:
    first = make_tokens(native, alice)["refresh_token"]

    body = refresh(native, first).json()

    assert body["refresh_token"] not in ("", first)
    assert refresh(native, body["refresh_token"]).status_code == 200


@pytest.mark.asvs("10.4.5")
def test_a_used_refresh_token_ends_its_family(native: Registered, alice: Any, events: list[Event]) -> None:
    first = make_tokens(native, alice)["refresh_token"]
    second = refresh(native, first).json()

    again = refresh(native, first)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert refresh(native, second["refresh_token"]).json()["error"] == "invalid_grant"
    assert userinfo(second["access_token"]).status_code == 401
    assert events[-1].name in (OAuthEvent.TOKEN_REPLAYED, OAuthEvent.REQUEST_REFUSED)
    assert OAuthEvent.TOKEN_REPLAYED in [event.name for event in events]


def test_a_confidential_application_keeps_its_refresh_token(web: Registered, alice: Any) -> None:
    token = make_tokens(web, alice)["refresh_token"]

    for _time in range(3):
        response = refresh(web, token)
        assert response.status_code == 200
        assert "refresh_token" not in response.json()
    assert RefreshToken.objects.count() == 1


def test_a_confidential_application_may_ask_for_rotation(alice: Any) -> None:
    application = make_application(rotates_refresh_tokens=True)
    token = make_tokens(application, alice)["refresh_token"]

    assert "refresh_token" in refresh(application, token).json()
    assert refresh(application, token).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("public", [True, False])
def test_a_refresh_token_of_another_application_is_worth_nothing(public: bool, alice: Any) -> None:
    application = make_application(public=public)
    token = make_tokens(application, alice)["refresh_token"]

    assert refresh(make_application(public=public), token).json()["error"] == "invalid_grant"
    assert refresh(application, token).status_code == 200


def test_a_refreshed_id_token_has_the_first_auth_time_and_no_nonce(web: Registered, alice: Any, clock: Any) -> None:
    session = session_facts()
    first = make_tokens(web, alice, session=session)
    clock.forward(minutes=5)

    body = refresh(web, first["refresh_token"]).json()

    claims = introspect(web, body["access_token"])
    assert claims["auth_time"] == int(session.authenticated_at.timestamp())
    assert body["id_token"] != first["id_token"]


@pytest.mark.parametrize("public", [True, False])
@pytest.mark.parametrize("end", [disable_account, lock_account])
def test_a_person_who_may_not_sign_in_gets_nothing_and_the_authorization_ends(
    end: Any, public: bool, alice: Any
) -> None:
    application = make_application(public=public)
    token = make_tokens(application, alice)["refresh_token"]

    end(user=alice)

    assert refresh(application, token).json()["error"] == "invalid_grant"
    assert Authorization.objects.get().ended_at is not None


def test_a_person_who_left_the_group_gets_nothing(web: Registered, alice: Any) -> None:
    group = Group.objects.create(name="staff")
    alice.groups.add(group)
    ApplicationPolicy.objects.get().allowed_groups.add(group)
    token = make_tokens(web, alice)["refresh_token"]
    assert refresh(web, token).status_code == 200

    alice.groups.clear()

    assert refresh(web, token).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("public", [True, False])
@pytest.mark.asvs("10.4.8")
def test_no_use_prolongs_an_authorization(public: bool, alice: Any, clock: Any) -> None:
    application = make_application(public=public, refresh_token_lifetime=timedelta(days=3))
    token = make_tokens(application, alice, scopes=["openid", "offline_access"])["refresh_token"]

    for _day in range(2):
        clock.forward(days=1)
        token = refresh(application, token).json().get("refresh_token", token)
    clock.forward(days=1)

    assert refresh(application, token).json()["error"] == "invalid_grant"


def test_a_refresh_token_that_rotates_expires_unused(native: Registered, alice: Any, clock: Any) -> None:
    token = make_tokens(native, alice, scopes=["openid", "offline_access"])["refresh_token"]

    clock.forward(days=14)

    assert refresh(native, token).json()["error"] == "invalid_grant"


def test_without_offline_access_it_ends_with_the_session(web: Registered, alice: Any, clock: Any) -> None:
    token = make_tokens(web, alice)["refresh_token"]
    offline = make_tokens(web, alice, scopes=["openid", "offline_access"])["refresh_token"]

    clock.forward(hours=8)

    assert refresh(web, token).json()["error"] == "invalid_grant"
    assert refresh(web, offline).status_code == 200


def test_a_refresh_may_ask_for_less_and_never_for_more(web: Registered, alice: Any) -> None:
    token = make_tokens(web, alice, scopes=["openid", "email"])["refresh_token"]

    assert refresh(web, token, scope="openid").json()["scope"] == "openid"
    assert refresh(web, token, scope="openid profile").json()["error"] == "invalid_scope"
    assert refresh(web, token).json()["scope"] == "openid email"


@pytest.mark.parametrize("token", ["ert_" + "x" * 43, "x", "ert_" + "x" * 42, "ert_" + "x" * 44, "\u00e9"])
def test_a_token_that_was_never_issued_is_refused(token: str, web: Registered, native: Registered) -> None:
    for application in (web, native):
        assert refresh(application, token).json()["error"] == "invalid_grant"


def test_a_refresh_that_asks_for_too_much_uses_its_token_and_is_no_replay(
    native: Registered, alice: Any, events: list[Event]
) -> None:
    token = make_tokens(native, alice, scopes=["openid"])["refresh_token"]

    assert refresh(native, token, scope="openid email").json()["error"] == "invalid_scope"

    assert OAuthEvent.TOKEN_REPLAYED not in [event.name for event in events]
    assert Authorization.objects.get().ended_at is None
    assert refresh(native, token).json()["error"] == "invalid_grant"


def test_a_refusal_of_a_person_is_no_replay(native: Registered, alice: Any, events: list[Event]) -> None:
    group = Group.objects.create(name="staff")
    token = make_tokens(native, alice)["refresh_token"]
    ApplicationPolicy.objects.get().allowed_groups.add(group)

    assert refresh(native, token).json()["error"] == "invalid_grant"

    assert OAuthEvent.TOKEN_REPLAYED not in [event.name for event in events]
    assert Authorization.objects.get().ended_reason == "group"


def test_an_application_that_now_requires_more_proof_refuses_what_was_given_with_less(
    web: Registered, alice: Any
) -> None:
    token = make_tokens(web, alice)["refresh_token"]

    ApplicationPolicy.objects.update(required_assurance="aal3")
    assert refresh(web, token).json()["error"] == "invalid_grant"

    ApplicationPolicy.objects.update(required_assurance="aal2")
    assert refresh(web, token).status_code == 200
