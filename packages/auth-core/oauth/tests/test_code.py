"""The authorization code at the token endpoint, over HTTP."""

import json
from typing import Any

import pytest
from django.apps import apps
from joserfc import jwt
from joserfc.jwk import KeySet
from joserfc.jws import extract_compact
from oauth2_provider.models import get_application_model

from auth_core.events import Event
from auth_core.oauth.conf import oauth
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.grants.code import RequestCompleted, issue_code
from auth_core.oauth.keys.algorithms import Registry
from auth_core.oauth.logout.backchannel import logout_token
from auth_core.oauth.models import Authorization, AuthorizationRequest, RefreshToken, Resource
from auth_core.oauth.testing.factories import (
    Registered,
    exchange,
    introspect,
    make_application,
    make_code,
    make_tokens,
    refresh,
    session_facts,
    userinfo,
)
from auth_core.people.locking import disable_account
from auth_core.people.lookup import identity_of
from auth_core.request.client import Client
from auth_core.testing.factories import make_user

pytestmark = pytest.mark.django_db

OTHER = "another-verifier-of-at-least-forty-three-chars"


def verified(token: str, client: Any, algorithm: str) -> Any:
    """Return a token as a client verifies it: by the published keys, and by its own list of algorithms."""
    keys = KeySet.import_key_set(client.get("/.well-known/jwks.json").json())
    return jwt.decode(token, keys, registry=Registry(algorithms=[algorithm]))


def test_a_code_becomes_tokens(web: Registered, alice: Any, events: list[Event], client: Any) -> None:
    session = session_facts()

    response = exchange(web, make_code(web, alice, session=session))

    body = response.json()
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert set(body) == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 600
    subject = str(identity_of(alice).subject_id)
    access = verified(body["access_token"], client, "ES256")
    assert access.header["typ"] == "at+jwt"
    assert access.claims["sub"] == subject
    assert access.claims["aud"] == access.claims["iss"] == oauth.issuer
    assert access.claims["client_id"] == web.client_id
    assert access.claims["acr"] == "aal2"
    identity = verified(body["id_token"], client, "RS256")
    assert identity.claims["sub"] == subject
    assert identity.claims["aud"] == web.client_id
    assert identity.claims["nonce"] == "n-1"
    assert identity.claims["sid"] == str(session.id)
    assert identity.claims["auth_time"] == int(session.authenticated_at.timestamp())
    assert identity.claims["amr"] == ["mfa", "otp", "pwd"]
    assert [event.name for event in events][-2:] == [OAuthEvent.AUTHORIZATION_GRANTED, OAuthEvent.CODE_EXCHANGED]
    assert events[-1].application == web.policy.id


def test_an_access_token_has_the_claims_of_its_profile(web: Registered, service: Registered, alice: Any) -> None:
    """RFC 9068 section 2.2. That of an application itself says nothing about a login."""
    of_person = extract_compact(make_tokens(web, alice)["access_token"].encode())
    response = service.post("/oauth/token", grant_type="client_credentials")
    of_service = extract_compact(response.json()["access_token"].encode())

    needed = {"iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope"}
    for token in (of_person, of_service):
        assert token.protected["typ"] == "at+jwt"
        assert token.protected["alg"] == "ES256"
        assert needed <= set(json.loads(token.payload))
    assert set(json.loads(of_person.payload)) == needed | {"auth_time", "acr", "amr", "grant_id"}
    assert set(json.loads(of_service.payload)) == needed
    assert json.loads(of_service.payload)["sub"] != json.loads(of_person.payload)["sub"]


@pytest.mark.asvs("9.2.4")
def test_each_token_is_for_one_audience(web: Registered, native: Registered, alice: Any) -> None:
    """One key signs for several audiences, so each token names its own, and no one else takes it."""
    Resource.objects.create(uri="https://api.example")
    at_home, elsewhere = make_tokens(web, alice), make_tokens(web, alice, resources=["https://api.example"])
    of_native = make_tokens(native, alice)

    def audience(token: str) -> Any:
        return json.loads(extract_compact(token.encode()).payload)["aud"]

    assert audience(at_home["access_token"]) == audience(of_native["access_token"]) == oauth.issuer
    assert audience(elsewhere["access_token"]) == "https://api.example"
    assert [audience(body["id_token"]) for body in (at_home, of_native)] == [web.client_id, native.client_id]
    logout = logout_token(web.registered, "s", "")
    assert audience(logout) == web.client_id
    for token in (elsewhere["access_token"], at_home["id_token"], logout):
        assert userinfo(token).status_code == 401


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "EdDSA"])
def test_an_application_chooses_the_algorithm_of_its_id_tokens(algorithm: str, alice: Any, client: Any) -> None:
    application = make_application(id_token_algorithm=algorithm)

    token = make_tokens(application, alice)["id_token"]

    assert verified(token, client, algorithm).header["alg"] == algorithm


def test_no_secret_is_stored_as_it_is(web: Registered, alice: Any) -> None:
    code = make_code(web, alice)
    body = exchange(web, code).json()

    stored = str([*Authorization.objects.values(), *RefreshToken.objects.values()])

    assert code not in stored
    assert body["refresh_token"] not in stored
    assert web.secret not in web.row.client_secret


@pytest.mark.asvs("10.4.2")
def test_a_code_that_is_presented_again_ends_all_that_it_issued(
    web: Registered, alice: Any, events: list[Event]
) -> None:
    code = make_code(web, alice)
    body = exchange(web, code).json()

    again = exchange(web, code)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert introspect(web, body["access_token"]) == {"active": False}
    assert introspect(web, body["refresh_token"]) == {"active": False}
    assert userinfo(body["access_token"]).status_code == 401
    assert refresh(web, body["refresh_token"]).json()["error"] == "invalid_grant"
    assert OAuthEvent.CODE_REPLAYED in [event.name for event in events]


@pytest.mark.asvs("10.4.6")
def test_a_wrong_verifier_spends_the_code(web: Registered, alice: Any) -> None:
    code = make_code(web, alice)

    assert exchange(web, code, code_verifier=OTHER).json()["error"] == "invalid_grant"
    assert exchange(web, code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"code_verifier": ""}, "invalid_request"),
        ({"code_verifier": "too-short"}, "invalid_grant"),
        ({"code_verifier": "x" * 129}, "invalid_grant"),
        ({"redirect_uri": "https://rp.example/other"}, "invalid_grant"),
        ({"redirect_uri": "https://RP.example/callback"}, "invalid_grant"),
        ({"resource": "https://api.example"}, "invalid_target"),
        ({"code": ""}, "invalid_request"),
        ({"code": "eac_" + "x" * 43}, "invalid_grant"),
        ({"code": "x" * 5000}, "invalid_grant"),
    ],
)
def test_a_wrong_exchange_is_refused_by_its_error(
    parameters: dict[str, str], error: str, web: Registered, alice: Any
) -> None:
    code = make_code(web, alice)

    response = exchange(web, **{"code": code, **parameters})

    assert (response.status_code, response.json()["error"]) == (400, error)
    assert not RefreshToken.objects.exists()


@pytest.mark.asvs("10.4.6")
def test_a_code_without_a_challenge_takes_no_verifier(web: Registered, alice: Any) -> None:
    code = make_code(web, alice, code_challenge="")

    assert exchange(web, code).json()["error"] == "invalid_grant"


def test_a_code_of_another_application_spends_nothing(web: Registered, alice: Any) -> None:
    code = make_code(web, alice)

    assert exchange(make_application(), code).json()["error"] == "invalid_grant"
    assert exchange(web, code).status_code == 200


@pytest.mark.asvs("10.4.3")
def test_a_code_expires_after_a_minute(web: Registered, alice: Any, clock: Any) -> None:
    code = make_code(web, alice)

    clock.forward(seconds=60)

    assert exchange(web, code).json()["error"] == "invalid_grant"


def test_an_authorization_request_gives_one_code(web: Registered, alice: Any) -> None:
    make_code(web, alice)
    request = AuthorizationRequest.objects.get()

    with pytest.raises(RequestCompleted):
        issue_code(
            request,
            application=web.registered,
            user=alice,
            session=session_facts(),
            scopes=["openid"],
            resources=[],
            claims={},
            client=Client(),
        )

    assert Authorization.objects.count() == 1


def test_a_disabled_person_gets_no_tokens_and_the_authorization_ends(web: Registered, alice: Any) -> None:
    code = make_code(web, alice)
    disable_account(user=alice)

    assert exchange(web, code).json()["error"] == "invalid_grant"
    assert Authorization.objects.get().ended_reason in ("disabled", "account_disabled")


def test_without_openid_there_is_no_id_token(web: Registered, alice: Any) -> None:
    assert "id_token" not in make_tokens(web, alice, scopes=["profile"])


def test_the_same_person_has_the_same_subject_everywhere(web: Registered, native: Registered, alice: Any) -> None:
    first, second = make_tokens(web, alice), make_tokens(native, alice)

    subjects = {introspect(web, first["access_token"])["sub"], userinfo(second["access_token"]).json()["sub"]}

    assert subjects == {str(identity_of(alice).subject_id)}
    assert str(identity_of(make_user()).subject_id) not in subjects


def test_the_tables_of_the_toolkit_stay_empty(web: Registered, native: Registered, alice: Any) -> None:
    refresh(native, make_tokens(native, alice)["refresh_token"])
    userinfo(make_tokens(web, alice)["access_token"])

    for model in apps.get_app_config("oauth2_provider").get_models():
        assert model.objects.count() == (2 if model is get_application_model() else 0), model
