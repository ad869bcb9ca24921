"""What a device may ask for beside scopes, and what its tokens share with those of a login."""

import json
from typing import Any

import pytest

from auth_core.oauth.clients.registry import TOKEN_EXCHANGE
from auth_core.oauth.grants.exchange import ACCESS_TOKEN
from auth_core.oauth.models import ApplicationPolicy, Authorization, DeviceRequest, Resource, SubjectKey
from auth_core.oauth.testing.factories import Registered, introspect, make_application, make_tokens, refresh, userinfo
from auth_core.people.lookup import identity_of
from devices import (
    ask,
    asked_codes,
    connect,
    decision_page,
    device_tokens,
    error_of,
    make_device_application,
    poll,
    press,
)
from people import browser_of
from token_parts import claims_in

pytestmark = pytest.mark.django_db

API, OTHER = "https://api.example", "https://other.example"
READ: dict[str, Any] = {"type": "account", "actions": ["read", "list"], "identifier": "DE-1"}


@pytest.fixture(autouse=True)
def device_grant(settings: Any) -> None:
    """Switch the grant on, with a type of authorization details."""
    settings.AUTH_OAUTH = {
        **settings.AUTH_OAUTH,
        "DEVICE_GRANT": True,
        "AUTHORIZATION_DETAILS_TYPES": {"account": "Use your account"},
    }


@pytest.fixture
def tv(db: None) -> Registered:
    """An application on a device that may ask for details."""
    return make_device_application(authorization_details_types="account")


def test_details_of_a_device_are_shown_given_and_carried(tv: Registered, alice: Any) -> None:
    codes = asked_codes(tv, authorization_details=json.dumps([READ]))
    browser = browser_of(alice)
    page = decision_page(browser, codes["user_code"])
    press(browser, page, "allow")
    body = poll(tv, codes["device_code"]).json()

    assert "Use your account (actions: read, list; for: DE-1)" in page.content.decode()
    assert Authorization.objects.get().authorization_details == [READ]
    assert body["authorization_details"] == [READ]
    assert claims_in(body["access_token"])["authorization_details"] == [READ]
    assert refresh(tv, body["refresh_token"]).json()["authorization_details"] == [READ]


def test_a_device_may_take_fewer_details_and_never_more(tv: Registered, alice: Any) -> None:
    fewer, more = {**READ, "actions": ["read"]}, {**READ, "actions": ["read", "write"]}
    wanted = json.dumps([READ])
    codes, others = (asked_codes(tv, authorization_details=wanted) for _ in range(2))
    connect(alice, codes)
    connect(alice, others)

    body = poll(tv, codes["device_code"], authorization_details=json.dumps([fewer])).json()
    refused = poll(tv, others["device_code"], authorization_details=json.dumps([more]))

    assert body["authorization_details"] == [fewer]
    assert error_of(refused) == "invalid_authorization_details"


@pytest.mark.parametrize(
    "sent",
    [
        "{",
        json.dumps([{"type": "unknown"}]),
        json.dumps([{**READ, "locations": [OTHER]}]),
        json.dumps([{**READ, "surprise": 1}]),
    ],
    ids=["no JSON", "an unknown type", "a location that it does not name", "an unknown field"],
)
def test_bad_details_of_a_device_store_nothing(sent: str, tv: Registered) -> None:
    assert error_of(ask(tv, authorization_details=sent)) == "invalid_authorization_details"
    assert not DeviceRequest.objects.exists()


def test_a_type_that_the_application_loses_is_not_given(tv: Registered, alice: Any) -> None:
    codes = asked_codes(tv, authorization_details=json.dumps([READ]))
    browser = browser_of(alice)
    page = decision_page(browser, codes["user_code"])
    ApplicationPolicy.objects.update(authorization_details_types="")

    press(browser, page, "allow")

    assert not Authorization.objects.exists()


def test_a_device_sees_the_ids_of_its_sector(alice: Any) -> None:
    pairwise = {"subject_type": "pairwise", "sector": "rp.example"}
    tv = make_device_application(**pairwise)

    body = device_tokens(tv, alice)

    sub = claims_in(body["id_token"])["sub"]
    assert sub == claims_in(make_tokens(make_application(**pairwise), alice)["id_token"])["sub"]
    assert sub == claims_in(body["access_token"])["sub"] == userinfo(body["access_token"]).json()["sub"]
    assert sub == claims_in(refresh(tv, body["refresh_token"]).json()["id_token"])["sub"]
    assert sub != str(identity_of(alice).subject_id)


def test_without_the_key_of_the_ids_a_device_waits(alice: Any) -> None:
    tv = make_device_application(subject_type="pairwise", sector="rp.example")
    codes = asked_codes(tv)
    browser = browser_of(alice)
    page = decision_page(browser, codes["user_code"])
    SubjectKey.objects.all().delete()

    assert press(browser, page, "allow").status_code == 503
    assert error_of(poll(tv, codes["device_code"])) == "authorization_pending"
    assert not Authorization.objects.exists()


def test_a_service_acts_for_the_person_of_a_device(alice: Any) -> None:
    scopes = {"notes:read": "Read your notes"}
    service = make_application(grant_types=TOKEN_EXCHANGE, scopes="notes:read", exchange_audiences=OTHER)
    Resource.objects.create(uri=API, application=service.row, scopes=scopes)
    Resource.objects.create(uri=OTHER, application=make_application().row, scopes=scopes)
    tv = make_device_application(scopes="notes:read", authorization_details_types="account")
    codes = asked_codes(
        tv,
        scope="notes:read",
        resource=[API, OTHER],
        authorization_details=json.dumps([{**READ, "locations": [OTHER]}]),
    )
    connect(alice, codes)
    token = poll(tv, codes["device_code"], resource=[API, OTHER]).json()["access_token"]
    sent = {"subject_token": token, "subject_token_type": ACCESS_TOKEN, "audience": OTHER}

    body = service.post("/oauth/token", grant_type=TOKEN_EXCHANGE, **sent).json()

    claims = claims_in(body["access_token"])
    assert (claims["aud"], claims["scope"]) == (OTHER, "notes:read")
    assert claims["sub"] == claims_in(token)["sub"]
    assert claims["authorization_details"] == [{**READ, "locations": [OTHER]}]
    assert introspect(service, body["access_token"])["act"] == {"sub": service.client_id}
