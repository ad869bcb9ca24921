"""The modules about requests, codes and clients that are refused. Each docstring begins with the module."""

import json
from typing import Any

import pytest
from django.utils import timezone
from fapi_client import ISSUER, FapiClient, error_of

from auth_core.oauth.models import AuthorizationRequest
from auth_core.oauth.testing.factories import VERIFIER, post_form, refresh
from auth_core.oauth.testing.proofs import KeyHolder, SigningApplication, make_signing_application
from people import asked

pytestmark = pytest.mark.django_db


def test_ensure_request_object_without_redirect_uri_fails(fapi: FapiClient) -> None:
    """ensure-request-object-without-redirect-uri-fails: a pushed request without an address is refused."""
    assert error_of(fapi.push(redirect_uri=None)) == "invalid_request"


def test_ensure_redirect_uri_in_authorization_request(fapi: FapiClient) -> None:
    """ensure-redirect-uri-in-authorization-request: the address cannot be added later."""
    assert error_of(fapi.push(redirect_uri=None)) == "invalid_request"
    assert not AuthorizationRequest.objects.exists()


def test_ensure_registered_redirect_uri(fapi: FapiClient) -> None:
    """ensure-registered-redirect-uri: another address is refused."""
    assert error_of(fapi.push(redirect_uri="https://rp.example/other")) == "invalid_request"


def test_plain_fapi_tolerate_unregistered_redirect_uri(fapi: FapiClient) -> None:
    """plain-fapi-tolerate-unregistered-redirect-uri: a provider may accept one or refuse it. This one refuses it."""
    assert error_of(fapi.push(redirect_uri="https://rp.example/callback/random")) == "invalid_request"


def test_ensure_response_type_code_idtoken_fails(fapi: FapiClient) -> None:
    """ensure-response-type-code-idtoken-fails: the response type is code alone."""
    assert error_of(fapi.push(response_type="code id_token")) == "unsupported_response_type"


def test_ensure_response_type_token_fails(fapi: FapiClient) -> None:
    """ensure-response-type-token-fails: no token comes from the authorization endpoint."""
    assert error_of(fapi.push(response_type="token")) == "unsupported_response_type"


def test_ensure_client_id_in_token_endpoint(fapi: FapiClient, second: FapiClient) -> None:
    """ensure-client-id-in-token-endpoint: the id of the second client with a key of the first is refused."""
    forged = SigningApplication(row=second.application.row, secret="", holder=fapi.application.holder)

    answer = FapiClient(forged, fapi.browser, fapi.key).redeem(fapi.code())

    assert error_of(answer) == "invalid_client"


def test_ensure_holder_of_key_required(fapi: FapiClient) -> None:
    """ensure-holder-of-key-required: a token request without a proof is refused."""
    assert error_of(fapi.redeem(fapi.code(), proof="")) == "invalid_dpop_proof"


def test_ensure_authorization_code_is_bound_to_client(fapi: FapiClient, second: FapiClient) -> None:
    """ensure-authorization-code-is-bound-to-client: the second client cannot use a code of the first."""
    code = fapi.code()

    assert error_of(second.redeem(code)) == "invalid_grant"
    assert fapi.redeem(code).status_code == 200


def test_attempt_reuse_authorization_code_after_one_second(fapi: FapiClient, clock: Any) -> None:
    """attempt-reuse-authorization-code-after-one-second: a code works once, and a second use ends its tokens."""
    code = fapi.code()
    token = fapi.redeem(code).json()["access_token"]
    clock.forward(seconds=1)

    assert error_of(fapi.redeem(code)) == "invalid_grant"

    assert fapi.read(token).status_code == 401


def test_ensure_token_endpoint_fails_with_expired_auth_code(fapi: FapiClient, clock: Any) -> None:
    """ensure-token-endpoint-fails-with-expired-auth-code: a code is refused after its minute."""
    code = fapi.code()

    clock.forward(seconds=60)

    assert error_of(fapi.redeem(code)) == "invalid_grant"


def test_ensure_signed_client_assertion_with_rs256_fails(alice: Any, fapi: FapiClient) -> None:
    """ensure-signed-client-assertion-with-RS256-fails: an RSA key signs with PS256 alone."""
    holder = KeyHolder("RS256")
    keys = json.dumps({"keys": [{**holder.jwk, "kid": holder.thumbprint}]})
    application = make_signing_application(holder=holder, jwks=keys, is_first_party=True)
    body = asked(application)

    answer = post_form("/oauth/par", {**body, **application.credentials()})

    assert error_of(answer) == "invalid_client"


def test_ensure_client_assertion_in_token_endpoint(fapi: FapiClient) -> None:
    """ensure-client-assertion-in-token-endpoint: a token request with the client_id alone is refused."""
    body = {
        "grant_type": "authorization_code", "code": fapi.code(), "code_verifier": VERIFIER,
        "client_id": fapi.application.client_id,
    }  # fmt: skip

    assert error_of(post_form("/oauth/token", body, HTTP_DPOP=fapi.key.proof())) == "invalid_client"


def test_ensure_client_assertion_with_exp_is_5_minutes_in_past_fails(fapi: FapiClient, clock: Any) -> None:
    """ensure-client-assertion-with-exp-is-5-minutes-in-past-fails: an assertion that has expired is refused."""
    old = fapi.application.credentials()

    clock.forward(minutes=6)

    assert error_of(post_form("/oauth/par", {**asked(fapi.application), **old})) == "invalid_client"


@pytest.mark.parametrize("audience", ["https://other.example", f"{ISSUER}/other", "", f"{ISSUER}/"])
def test_ensure_client_assertion_with_wrong_aud_fails(audience: str, fapi: FapiClient) -> None:
    """ensure-client-assertion-with-wrong-aud-fails: an assertion for another service is refused."""
    assert error_of(fapi.asserted("/oauth/par", asked(fapi.application), aud=audience)) == "invalid_client"


def test_ensure_client_assertion_with_no_sub_fails(fapi: FapiClient) -> None:
    """ensure-client-assertion-with-no-sub-fails: an assertion names its client as the subject."""
    assert error_of(fapi.asserted("/oauth/par", asked(fapi.application), sub=None)) == "invalid_client"


def test_refresh_token(fapi: FapiClient, second: FapiClient) -> None:
    """refresh-token: it is bound to its client, needs authentication and a proof, and the previous one works with a new key."""
    token = fapi.tokens()["refresh_token"]

    assert error_of(refresh(second.application, token, proof=second.key.proof())) == "invalid_grant"
    body = {"grant_type": "refresh_token", "refresh_token": token, "client_id": fapi.application.client_id}
    assert error_of(post_form("/oauth/token", body, HTTP_DPOP=fapi.key.proof())) == "invalid_client"
    assert error_of(refresh(fapi.application, token)) == "invalid_dpop_proof"
    for key in (fapi.key, KeyHolder()):
        answer = refresh(fapi.application, token, proof=key.proof())
        assert answer.status_code == 200, answer.content
        assert "refresh_token" not in answer.json()


@pytest.mark.parametrize("ahead", [0, 8])
def test_par_ensure_jwt_client_assertions_nbf_8_seconds_in_the_future_is_accepted(
    ahead: int, fapi: FapiClient, clock: Any
) -> None:
    """par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted: a clock may be a little ahead."""
    moment = now() + ahead

    answer = fapi.asserted("/oauth/par", asked(fapi.application), nbf=moment, iat=moment)

    assert answer.status_code == 201


def test_par_ensure_jwt_client_assertions_nbf_over_60_seconds_in_the_future_fails(fapi: FapiClient, clock: Any) -> None:
    """par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails: a clock may not be a minute ahead."""
    for changes in ({"nbf": now() + 61}, {"iat": now() + 61}):
        assert error_of(fapi.asserted("/oauth/par", asked(fapi.application), **changes)) == "invalid_client"


def now() -> int:
    return int(timezone.now().timestamp())


def test_par_authorization_request_containing_request_uri_form_param(fapi: FapiClient) -> None:
    """par-authorization-request-containing-request_uri-form-param: a pushed request names no other request."""
    assert error_of(fapi.push(request_uri=fapi.name())) == "invalid_request"


@pytest.mark.parametrize("method", ["get", "put"])
def test_par_attempt_invalid_http_method(method: str, client: Any) -> None:
    """par-attempt-invalid-http-method: only POST pushes a request."""
    assert getattr(client, method)("/oauth/par").status_code == 405


def test_par_ensure_pkce_required(fapi: FapiClient) -> None:
    """par-ensure-pkce-required: a request without a challenge is refused."""
    assert error_of(fapi.push(code_challenge=None, code_challenge_method=None)) == "invalid_request"


def test_par_plain_pkce_rejected(fapi: FapiClient) -> None:
    """par-plain-pkce-rejected: the method of the challenge is S256."""
    assert error_of(fapi.push(code_challenge=VERIFIER, code_challenge_method="plain")) == "invalid_request"


def test_ensure_pkce_code_verifier_required(fapi: FapiClient) -> None:
    """ensure-pkce-code-verifier-required: a token request without the verifier is refused."""
    assert error_of(fapi.redeem(fapi.code(), code_verifier=None)) == "invalid_request"


def test_incorrect_pkce_code_verifier_rejected(fapi: FapiClient) -> None:
    """incorrect-pkce-code-verifier-rejected: a token request with another verifier is refused."""
    assert error_of(fapi.redeem(fapi.code(), code_verifier="x" * 43)) == "invalid_grant"


def test_par_test_array_as_audience_fails(fapi: FapiClient) -> None:
    """par-test-array-as-audience-fails: the audience is one text."""
    for audience in ([ISSUER], [ISSUER, f"{ISSUER}/oauth/par"]):
        assert error_of(fapi.asserted("/oauth/par", asked(fapi.application), aud=audience)) == "invalid_client"


def test_par_test_par_endpoint_url_as_audience_fails(fapi: FapiClient) -> None:
    """par-test-par-endpoint-url-as-audience-fails: the audience is the issuer."""
    audience = f"{ISSUER}/oauth/par"
    assert error_of(fapi.asserted("/oauth/par", asked(fapi.application), aud=audience)) == "invalid_client"


def test_par_test_token_endpoint_url_as_audience_fails(fapi: FapiClient) -> None:
    """par-test-token-endpoint-url-as-audience-fails: the audience is the issuer."""
    audience = f"{ISSUER}/oauth/token"
    assert error_of(fapi.asserted("/oauth/par", asked(fapi.application), aud=audience)) == "invalid_client"
