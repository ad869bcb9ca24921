"""Members of a registration that other parts of the provider read: ids of sectors, signed userinfo, details and grants."""

from typing import Any

import pytest
from oauth2_provider.models import get_application_model

from auth_core.oauth.clients.registry import DEVICE_CODE
from auth_core.oauth.models import ApplicationPolicy, DynamicRegistration
from auth_core.oauth.testing.factories import REDIRECT_URI, Registered, make_tokens, userinfo
from auth_core.oauth_resource.keys import documents
from auth_core.people.lookup import identity_of
from devices import device_tokens
from registrations import Web, initial_token, manage, register, registered, update_of
from token_parts import claims_in

pytestmark = pytest.mark.django_db

SECTOR = "https://sector.example/list.json"


@pytest.fixture(autouse=True)
def switched_on(settings: Any) -> None:
    """A site that lets applications register themselves, with the device grant and a type of authorization details."""
    settings.AUTH_OAUTH = {
        **settings.AUTH_OAUTH,
        "DYNAMIC_REGISTRATION": True,
        "DEVICE_GRANT": True,
        "AUTHORIZATION_DETAILS_TYPES": {"account": "Use your account"},
    }


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Web:
    """The site of a sector, which lists two addresses."""
    web = Web(documents={SECTOR: [REDIRECT_URI, "https://other.example/cb"]})
    monkeypatch.setattr(documents, "fetch", web.fetch)
    return web


def application_of(client: dict[str, Any]) -> Registered:
    row = get_application_model().objects.get(client_id=client["client_id"])
    return Registered(row=row, secret=client.get("client_secret", ""))


def test_a_client_with_pairwise_ids_gets_those_of_its_sector(web: Web, alice: Any) -> None:
    one = registered(subject_type="pairwise", sector_identifier_uri=SECTOR)
    two = registered(subject_type="pairwise", sector_identifier_uri=SECTOR, redirect_uris=["https://other.example/cb"])
    own = registered(subject_type="pairwise")

    subs = [claims_in(make_tokens(application_of(each), alice)["id_token"])["sub"] for each in (one, two, own)]

    assert (one["subject_type"], one["sector_identifier_uri"]) == ("pairwise", SECTOR)
    assert manage("get", one).json()["sector_identifier_uri"] == SECTOR
    assert subs[0] == subs[1] != subs[2]
    assert str(identity_of(alice).subject_id) not in subs
    assert web.requests == [SECTOR] * 2, "the site was asked more than once for each registration"


def test_ids_of_people_who_use_a_registered_client_do_not_change(web: Web, alice: Any) -> None:
    client = registered(subject_type="pairwise")
    make_tokens(application_of(client), alice)

    answer = manage("put", client, update_of(client, sector_identifier_uri=SECTOR))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert "subject_type" in answer.json()["error_description"]
    assert ApplicationPolicy.objects.get().sector == "rp.example"
    assert manage("get", client).status_code == 200, "the refusal replaced the token"


def test_userinfo_is_signed_as_the_client_registers(alice: Any) -> None:
    client = registered(userinfo_signed_response_alg="ES256")

    answer = userinfo(make_tokens(application_of(client), alice)["access_token"])

    assert client["userinfo_signed_response_alg"] == "ES256"
    assert answer.headers["Content-Type"] == "application/jwt"


def test_types_of_details_are_those_that_the_initial_token_allows() -> None:
    token = initial_token(uses=2, types=("account",))

    client = registered(token, authorization_details_types=["account", "payment"])
    other = registered(token)

    assert client["authorization_details_types"] == ["account"]
    assert "authorization_details_types" not in other
    assert "authorization_details_types" not in registered(authorization_details_types=["account"])
    more = manage("put", client, update_of(client, authorization_details_types=["payment", "account"])).json()
    assert more["authorization_details_types"] == ["account"]
    assert DynamicRegistration.objects.filter(authorization_details_types="account").count() == 2


def test_a_client_on_a_device_registers_itself(alice: Any) -> None:
    client = registered(
        grant_types=[DEVICE_CODE, "refresh_token"],
        redirect_uris=[],
        token_endpoint_auth_method="none",
        client_name="TV",
    )

    body = device_tokens(application_of(client), alice)

    assert client["response_types"] == []
    assert body["refresh_token"]


def test_the_profile_high_has_no_device_grant(settings: Any) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "PROFILE": "high"}
    key = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://rp.example/keys"}

    answer = register(grant_types=[DEVICE_CODE], redirect_uris=[], **key)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
