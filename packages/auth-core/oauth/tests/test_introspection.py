"""Introspection and revocation, over HTTP."""

from typing import Any

import pytest
from django.db import OperationalError

from auth_core.events import Event
from auth_core.oauth.endpoints import revocation
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import ApplicationPolicy, Authorization, Resource, RevokedToken
from auth_core.oauth.testing.factories import (
    Registered,
    introspect,
    make_application,
    make_tokens,
    refresh,
    userinfo,
)
from auth_core.people.locking import disable_account, lock_account

pytestmark = pytest.mark.django_db

INACTIVE = {"active": False}
API = "https://api.example"


@pytest.fixture
def resource(service: Registered) -> Resource:
    """A resource that `service` owns."""
    return Resource.objects.create(uri=API, application=service.row, scopes={"orders:read": "See your orders"})


def test_an_application_sees_its_own_token_in_full(web: Registered, alice: Any) -> None:
    claims = introspect(web, make_tokens(web, alice)["access_token"])

    assert claims.pop("active") is True
    assert claims.pop("token_type") == "Bearer"
    assert set(claims) == {
        "scope", "client_id", "exp", "iat", "sub", "aud", "iss", "jti", "auth_time", "acr", "amr",
    }  # fmt: skip


def test_a_resource_sees_its_tokens_and_no_others(
    web: Registered, service: Registered, alice: Any, resource: Resource
) -> None:
    token = make_tokens(web, alice, resources=[API])["access_token"]

    assert introspect(service, token)["aud"] == API
    assert introspect(make_application(), token) == INACTIVE
    assert introspect(service, make_tokens(web, alice)["access_token"]) == INACTIVE


def test_a_refresh_token_concerns_its_application_alone(web: Registered, service: Registered, alice: Any) -> None:
    token = make_tokens(web, alice)["refresh_token"]

    assert introspect(web, token)["active"]
    assert introspect(service, token) == INACTIVE


def test_a_public_application_cannot_introspect(native: Registered, alice: Any) -> None:
    response = native.post("/oauth/introspect", token=make_tokens(native, alice)["access_token"])

    assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")


def test_introspection_needs_an_authentication_and_a_token(web: Registered, client: Any) -> None:
    assert (
        client.post("/oauth/introspect", "token=x", content_type="application/x-www-form-urlencoded").status_code == 401
    )
    assert web.post("/oauth/introspect").json()["error"] == "invalid_request"


def test_a_token_in_the_url_is_never_read(web: Registered, alice: Any, client: Any) -> None:
    token = make_tokens(web, alice)["access_token"]

    assert client.get(f"/oauth/introspect?token={token}").status_code == 405
    assert web.post(f"/oauth/introspect?token={token}").json()["error"] == "invalid_request"
    assert client.get(f"/oauth/userinfo?access_token={token}").status_code == 401


@pytest.mark.parametrize("end", [disable_account, lock_account])
@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
def test_tokens_of_a_person_who_may_not_sign_in_are_inactive(end: Any, token_format: str, alice: Any) -> None:
    application = make_application(token_format=token_format)
    body = make_tokens(application, alice)
    assert introspect(application, body["access_token"])["active"]

    end(user=alice)

    assert introspect(application, body["access_token"]) == INACTIVE
    assert introspect(application, body["refresh_token"]) == INACTIVE
    assert userinfo(body["access_token"]).status_code == 401


def test_tokens_of_a_disabled_application_are_inactive(
    web: Registered, service: Registered, alice: Any, resource: Resource
) -> None:
    token = make_tokens(web, alice, resources=[API])["access_token"]
    ApplicationPolicy.objects.filter(application=web.row).update(is_active=False)

    assert introspect(service, token) == INACTIVE


def test_an_expired_token_is_inactive(web: Registered, alice: Any, clock: Any) -> None:
    token = make_tokens(web, alice)["access_token"]

    clock.forward(minutes=10)

    assert introspect(web, token) == INACTIVE


@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
def test_a_revoked_access_token_is_inactive_at_once_and_alone(token_format: str, alice: Any) -> None:
    application = make_application(token_format=token_format)
    body = make_tokens(application, alice)

    assert application.post("/oauth/revoke", token=body["access_token"]).status_code == 200

    assert introspect(application, body["access_token"]) == INACTIVE
    assert userinfo(body["access_token"]).status_code == 401
    assert refresh(application, body["refresh_token"]).status_code == 200


def test_a_revoked_refresh_token_ends_its_access_tokens(web: Registered, alice: Any, events: list[Event]) -> None:
    body = make_tokens(web, alice)

    assert web.post("/oauth/revoke", token=body["refresh_token"], token_type_hint="access_token").status_code == 200

    assert introspect(web, body["access_token"]) == INACTIVE
    assert refresh(web, body["refresh_token"]).json()["error"] == "invalid_grant"
    assert Authorization.objects.get().ended_reason == "revoked"
    assert OAuthEvent.AUTHORIZATION_ENDED in [event.name for event in events]


def test_revoking_twice_or_something_unknown_is_a_success(web: Registered, alice: Any, events: list[Event]) -> None:
    token = make_tokens(web, alice)["access_token"]

    for text in (token, token, "unknown", "eat_" + "x" * 43):
        assert web.post("/oauth/revoke", token=text).status_code == 200
    assert [event.name for event in events].count(OAuthEvent.TOKEN_REVOKED) == 1
    assert RevokedToken.objects.count() == 1


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_token_of_another_application_is_not_revoked(kind: str, web: Registered, alice: Any) -> None:
    token = make_tokens(web, alice)[kind]

    response = make_application().post("/oauth/revoke", token=token)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert introspect(web, token)["active"]


def test_a_store_that_fails_is_never_a_false_success(web: Registered, alice: Any, monkeypatch: Any) -> None:
    def lost(*arguments: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(revocation, "revoke_token", lost)

    response = web.post("/oauth/revoke", token="x")

    assert response.status_code == 503
    assert "Retry-After" in response.headers
