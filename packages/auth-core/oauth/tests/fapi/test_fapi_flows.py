"""The modules about logins that succeed, and about what the provider publishes. Each docstring begins with the module."""

from typing import Any

import pytest
from django.test import Client as Browser
from fapi_client import ISSUER, FapiClient
from joserfc import jwt
from joserfc.jwk import KeySet

from auth_core.oauth.keys.algorithms import Registry
from auth_core.oauth.models import ApplicationPolicy, Authorization
from people import answer_in, authorize, decide, error_in, follow, log_in

pytestmark = pytest.mark.django_db


def id_token_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return the claims of the ID token, verified as a client of the profile does it."""
    keys = KeySet.import_key_set(Browser().get("/.well-known/jwks.json").json())
    registry = Registry(algorithms=["PS256", "ES256", "EdDSA"])
    claims: dict[str, Any] = jwt.decode(body["id_token"], keys, registry=registry).claims
    return claims


def test_happy_flow(fapi: FapiClient, second: FapiClient) -> None:
    """happy-flow: two clients get tokens, and each reads the resource with its own."""
    for client in (fapi, second):
        body = client.tokens()

        claims = id_token_of(body)
        assert (claims["iss"], claims["aud"], claims["nonce"]) == (ISSUER, client.application.client_id, "nonce-1")
        assert client.read(body["access_token"]).json()["sub"] == claims["sub"]


def test_discovery_end_point_verification() -> None:
    """discovery-end-point-verification: the metadata has what the profile needs, and nothing that it forbids."""
    body = Browser().get("/.well-known/openid-configuration").json()

    assert body["issuer"] == ISSUER
    assert body["pushed_authorization_request_endpoint"] == f"{ISSUER}/oauth/par"
    assert body["require_pushed_authorization_requests"] is True
    assert body["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    strong = {"PS256", "ES256", "EdDSA"}
    for member in (
        "token_endpoint_auth_signing_alg_values_supported",
        "dpop_signing_alg_values_supported",
        "id_token_signing_alg_values_supported",
    ):
        assert set(body[member]) <= strong
        assert body[member]
    assert body["authorization_response_iss_parameter_supported"] is True
    assert body["response_types_supported"] == ["code"]
    assert body["code_challenge_methods_supported"] == ["S256"]
    assert "authorization_code" in body["grant_types_supported"]
    assert body["claims_parameter_supported"] is True


def test_user_rejects_authentication(fapi: FapiClient) -> None:
    """user-rejects-authentication: the client gets access_denied with its state and the issuer."""
    ApplicationPolicy.objects.update(is_first_party=False)

    answer = answer_in(decide(fapi.browser, fapi.visit(fapi.name()), "deny"))

    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "state-1", ISSUER)


def test_access_token_type_header_case_sensitivity(fapi: FapiClient) -> None:
    """access-token-type-header-case-sensitivity: the scheme of the header is read in any case."""
    token = fapi.tokens()["access_token"]

    assert {fapi.read(token, scheme=scheme).status_code for scheme in ("DPoP", "dpop", "DPOP", "dPoP")} == {200}


def test_ensure_authorization_request_without_state_success(fapi: FapiClient) -> None:
    """ensure-authorization-request-without-state-success: the answer then has no state."""
    assert fapi.redeem(fapi.code(state=None)).status_code == 200


def test_ensure_authorization_request_without_nonce_success(fapi: FapiClient) -> None:
    """ensure-authorization-request-without-nonce-success: the ID token then has none."""
    assert "nonce" not in id_token_of(fapi.tokens(nonce=None))


def test_ensure_authorization_request_with_64_char_nonce_success(fapi: FapiClient) -> None:
    """ensure-authorization-request-with-64-char-nonce-success: the ID token has the whole nonce."""
    assert id_token_of(fapi.tokens(nonce="n" * 64))["nonce"] == "n" * 64


def test_ensure_authorization_request_with_long_nonce(fapi: FapiClient) -> None:
    """ensure-authorization-request-with-long-nonce: 384 characters come back whole."""
    assert id_token_of(fapi.tokens(nonce="n" * 384))["nonce"] == "n" * 384


def test_ensure_authorization_request_with_long_state(fapi: FapiClient) -> None:
    """ensure-authorization-request-with-long-state: 384 characters come back whole."""
    assert fapi.redeem(fapi.code(state="s" * 384)).status_code == 200


def test_ensure_other_scope_order_succeeds(fapi: FapiClient) -> None:
    """ensure-other-scope-order-succeeds: openid need not be the first scope."""
    body = fapi.tokens(scope="email openid")

    assert set(body["scope"].split()) == {"openid", "email"}
    assert id_token_of(body)["sub"]


def test_test_claims_parameter_identity_claims(fapi: FapiClient) -> None:
    """test-claims-parameter-identity-claims: a claim that is asked for by name is in the ID token."""
    body = fapi.tokens(claims='{"id_token": {"name": {"essential": true}}}')

    assert id_token_of(body)["name"] == "Alice"


def test_ensure_different_nonce_inside_and_outside_request_object(fapi: FapiClient) -> None:
    """ensure-different-nonce-inside-and-outside-request-object: the pushed nonce is the one that counts."""
    answer = answer_in(fapi.visit(fapi.name(nonce="inside"), nonce="outside"))

    assert id_token_of(fapi.redeem(answer["code"]).json())["nonce"] == "inside"


def test_ensure_different_state_inside_and_outside_request_object(fapi: FapiClient) -> None:
    """ensure-different-state-inside-and-outside-request-object: the pushed state is the one that comes back."""
    assert answer_in(fapi.visit(fapi.name(state="inside"), state="outside"))["state"] == "inside"


def test_state_only_outside_request_object_not_used(fapi: FapiClient) -> None:
    """state-only-outside-request-object-not-used: a state that was not pushed does not come back."""
    assert "state" not in answer_in(fapi.visit(fapi.name(state=None), state="outside"))


def test_par_without_duplicate_parameters(fapi: FapiClient) -> None:
    """par-without-duplicate-parameters: the address needs client_id and request_uri alone."""
    assert answer_in(fapi.visit(fapi.name()))["code"]


def test_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(fapi: FapiClient, alice: Any) -> None:
    """par-ensure-reused-request-uri-prior-to-auth-completion-succeeds: a visit without a login uses nothing up."""
    fapi.browser, name = Browser(), fapi.name()
    assert fapi.visit(name).status_code == 303

    response = log_in(fapi.browser, fapi.visit(name), alice)

    assert answer_in(follow(fapi.browser, response))["code"]


def test_par_attempt_reuse_request_uri(fapi: FapiClient) -> None:
    """par-attempt-reuse-request_uri: after the login the same name is refused on a page."""
    name = fapi.name()
    assert answer_in(fapi.visit(name))["code"]

    again = fapi.visit(name)

    assert again.status_code == 400
    assert Authorization.objects.count() == 1


def test_par_attempt_to_use_expired_request_uri(fapi: FapiClient, clock: Any) -> None:
    """par-attempt-to-use-expired-request_uri: a name is refused when its expires_in has passed."""
    response = fapi.push().json()

    clock.forward(seconds=response["expires_in"])

    assert fapi.visit(response["request_uri"]).status_code == 400


def test_par_attempt_to_use_request_uri_for_different_client(fapi: FapiClient, second: FapiClient) -> None:
    """par-attempt-to-use-request_uri-for-different-client: the name is refused with another client_id."""
    name = fapi.name()

    assert second.visit(name).status_code == 400
    assert answer_in(fapi.visit(name))["code"]


def test_ensure_unsigned_authorization_request_without_using_par_fails(fapi: FapiClient) -> None:
    """ensure-unsigned-authorization-request-without-using-par-fails: parameters in the address are refused on a page."""
    response = authorize(fapi.browser, fapi.application)

    assert response.status_code == 400
    assert not Authorization.objects.exists()


def test_errors_of_a_pushed_request_come_with_the_issuer(fapi: FapiClient) -> None:
    assert error_in(fapi.visit(fapi.name(prompt="none", max_age="0"))) == "login_required"
