"""Client credentials: applications that act for themselves."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from joserfc.jws import extract_compact

from auth_core.events import Event
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.grants import client_credentials
from auth_core.oauth.models import AccessToken, ApplicationPolicy, Authorization, Resource
from auth_core.oauth.testing.factories import Registered, introspect, make_application, userinfo

pytestmark = pytest.mark.django_db


def token_of(application: Registered, **parameters: Any) -> Any:
    return application.post("/oauth/token", grant_type="client_credentials", **parameters)


@pytest.fixture
def resource() -> Resource:
    return Resource.objects.create(uri="https://api.example", scopes={"orders:read": "See your orders"})


def test_an_application_gets_a_token_that_names_it_and_no_person(service: Registered) -> None:
    body = token_of(service).json()

    claims = introspect(service, body["access_token"])

    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert claims["sub"] == claims["client_id"] == service.client_id
    assert not {"acr", "auth_time"} & set(claims)
    assert userinfo(body["access_token"]).status_code == 401
    assert not Authorization.objects.exists()
    assert not AccessToken.objects.exists(), "a JWT writes no row"


@pytest.mark.parametrize("scope", ["openid", "openid profile", "email", "unknown", "offline_access", 'a"b', "x" * 200])
def test_a_scope_about_a_person_is_invalid(scope: str, service: Registered) -> None:
    response = token_of(service, scope=scope)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")


@pytest.mark.asvs("10.4.11")
def test_scopes_and_resources_are_those_of_the_application(service: Registered, resource: Resource) -> None:
    wanted = {"scope": "orders:read", "resource": "https://api.example"}
    assert token_of(service, **wanted).json()["error"] == "invalid_scope"

    ApplicationPolicy.objects.update(scopes="orders:read")

    body = token_of(service, **wanted).json()
    claims = introspect(service, body["access_token"])
    assert (claims["scope"], claims["aud"]) == ("orders:read", "https://api.example")


@pytest.mark.parametrize(
    "uri", ["https://other.example", "https://api.example#x", "api", "https://api.example.evil", "https://API.example"]
)
def test_an_unknown_resource_is_an_invalid_target(uri: str, service: Registered, resource: Resource) -> None:
    assert token_of(service, resource=uri).json()["error"] == "invalid_target"


def test_a_last_slash_makes_no_other_resource(service: Registered, resource: Resource) -> None:
    assert token_of(service, resource="https://api.example/").status_code == 200


def test_a_disabled_resource_is_an_invalid_target(service: Registered, resource: Resource) -> None:
    Resource.objects.update(is_active=False)

    assert token_of(service, resource=resource.uri).json()["error"] == "invalid_target"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_resource_may_ask_for_another_algorithm(algorithm: str, service: Registered, resource: Resource) -> None:
    Resource.objects.update(signing_algorithm=algorithm)

    token = token_of(service, resource=resource.uri).json()["access_token"]

    assert extract_compact(token.encode()).protected["alg"] == algorithm


def test_a_public_application_is_no_service(alice: Any) -> None:
    public = make_application(public=True, grant="client-credentials")

    assert token_of(public).json()["error"] == "unauthorized_client"


def test_one_entry_counts_the_tokens_of_an_hour(service: Registered, events: list[Event], clock: Any) -> None:
    for _token in range(5):
        token_of(service)
    clock.forward(hours=1)
    token_of(service)

    counts = [event.data["count"] for event in events if event.name is OAuthEvent.TOKENS_ISSUED]
    assert counts == [1, 5]


def test_no_token_is_issued_until_its_entry_is_written(
    service: Registered, events: list[Event], monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    def lost(*arguments: Any) -> None:
        raise OperationalError

    for _token in range(3):
        token_of(service)
    clock.forward(hours=1)
    with monkeypatch.context() as patch:
        patch.setattr(client_credentials, "record", lost)
        assert [token_of(service).status_code for _time in range(2)] == [503, 503]

    assert token_of(service).status_code == 200
    counts = [event.data["count"] for event in events if event.name is OAuthEvent.TOKENS_ISSUED]
    assert counts == [1, 3]


def test_an_opaque_token_is_active_and_says_nothing(clock: Any) -> None:
    application = make_application(grant="client-credentials", token_format="opaque")

    token = token_of(application).json()["access_token"]

    assert token.startswith("eat_")
    assert introspect(application, token)["active"]
    assert token not in str(AccessToken.objects.values())
    clock.forward(minutes=10)
    assert introspect(application, token) == {"active": False}


def test_an_application_may_have_a_shorter_lifetime_and_no_longer_one(service: Registered) -> None:
    ApplicationPolicy.objects.update(access_token_lifetime=timedelta(minutes=1))
    assert token_of(service).json()["expires_in"] == 60
    ApplicationPolicy.objects.update(access_token_lifetime=timedelta(days=1))
    assert token_of(service).json()["expires_in"] == 600
