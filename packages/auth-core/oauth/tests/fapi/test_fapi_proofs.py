"""The modules about DPoP proofs. Each docstring begins with the module."""

from typing import Any

import pytest
from django.utils import timezone
from fapi_client import ISSUER, FapiClient, error_of

from auth_core.oauth.testing.factories import userinfo
from auth_core.oauth.testing.proofs import KeyHolder, present
from people import answer_in

pytestmark = pytest.mark.django_db


def now() -> int:
    return int(timezone.now().timestamp())


def test_check_dpop_proof_nbf_exp(fapi: FapiClient) -> None:
    """check-dpop-proof-nbf-exp: a proof may have nbf and exp that are met."""
    times = {"nbf": now(), "exp": now() + 300}

    body = fapi.redeem(fapi.code(), proof=fapi.key.proof(**times)).json()

    assert fapi.read(body["access_token"], **times).status_code == 200


@pytest.mark.parametrize("access", ["token", "resource"])
def test_ensure_dpopproof_with_iat_10seconds_before_succeeds(fapi: FapiClient, clock: Any, access: str) -> None:
    """ensure-dpopproof-with-iat-10seconds-before-succeeds: a proof may be ten seconds old."""
    assert is_accepted(fapi, access, iat=now() - 10)


@pytest.mark.parametrize("access", ["token", "resource"])
def test_ensure_dpopproof_with_iat_10seconds_after_succeeds(fapi: FapiClient, clock: Any, access: str) -> None:
    """ensure-dpopproof-with-iat-10seconds-after-succeeds: the clock of a client may be ten seconds ahead."""
    assert is_accepted(fapi, access, iat=now() + 10)


def is_accepted(fapi: FapiClient, access: str, **changes: Any) -> bool:
    if access == "token":
        return bool(fapi.redeem(fapi.code(), proof=fapi.key.proof(**changes)).status_code == 200)
    return bool(fapi.read(fapi.tokens()["access_token"], **changes).status_code == 200)


def test_ensure_mismatched_dpop_jkt_fails(fapi: FapiClient) -> None:
    """ensure-mismatched-dpop-jkt-fails: the parameter and the proof of a pushed request name one key."""
    proof = fapi.key.proof(path="/oauth/par")

    assert error_of(fapi.push(proof=proof, dpop_jkt=KeyHolder().thumbprint)) == "invalid_dpop_proof"


def test_ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt(fapi: FapiClient) -> None:
    """ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt: the proofs of both endpoints are of one key."""
    name = fapi.name(proof=fapi.key.proof(path="/oauth/par"))

    answer = fapi.redeem(answer_in(fapi.visit(name))["code"], key=KeyHolder())

    assert error_of(answer) == "invalid_grant"


def test_ensure_token_endpoint_fails_with_mismatched_dpop_jkt(fapi: FapiClient) -> None:
    """ensure-token-endpoint-fails-with-mismatched-dpop-jkt: the parameter names the key of the token request."""
    assert error_of(fapi.redeem(fapi.code(dpop_jkt=KeyHolder().thumbprint))) == "invalid_grant"


def test_ensure_dpopproof_at_par_endpoint_binding_success(fapi: FapiClient) -> None:
    """ensure-dpopproof-at-par-endpoint-binding-success: the proof of a pushed request binds the code."""
    name = fapi.name(proof=fapi.key.proof(path="/oauth/par"))

    assert fapi.redeem(answer_in(fapi.visit(name))["code"]).status_code == 200


def test_ensure_dpop_auth_code_binding_success(fapi: FapiClient) -> None:
    """ensure-dpop-auth-code-binding-success: the parameter dpop_jkt binds the code."""
    assert fapi.redeem(fapi.code(dpop_jkt=fapi.key.thumbprint)).status_code == 200


def test_dpop_negative_tests(fapi: FapiClient) -> None:
    """dpop-negative-tests: each rule of RFC 9449 section 4.3 at the resource, and a token that is sent as Bearer."""
    token = fapi.tokens()["access_token"]
    address = f"{ISSUER}/oauth/userinfo"
    assert fapi.read(token).status_code == 200
    assert fapi.read(token, htu=f"{address}?query=1#fragment").status_code == 200

    private = {"jwk": fapi.key.key.as_dict(private=True)}
    wrong: list[dict[str, Any]] = [
        {"jti": None}, {"htm": None}, {"htu": None}, {"iat": None}, {"access_token": ""}, {"htm": "PUT"},
        {"htu": "https://other.example/oauth/userinfo"}, {"iat": now() + 3600}, {"iat": now() - 3600},
        {"header": {"typ": None}}, {"header": {"typ": "jwt"}}, {"header": {"jwk": None}}, {"header": private},
        {"header": {"jwk": KeyHolder().jwk}}, {"access_token": "another"},
    ]  # fmt: skip
    refused = {str(changes): fapi.read(token, **changes).status_code for changes in wrong}
    assert set(refused.values()) == {401}, refused

    good = [fapi.key.proof("GET", "/oauth/userinfo", access_token=token) for _proof in range(3)]
    head, claims, signature = good[0].split(".")
    for text in (", ".join(good[1:]), f"{head}.{claims}", f"{head}.{claims}.{signature[::-1]}", f"{head}.{claims}."):
        assert present(token, text).status_code == 401, text
    assert [present(token, good[2]).status_code for _use in range(2)] == [200, 401], "a proof works once"
    assert userinfo(token).status_code == 401
    weak = KeyHolder("RS256")
    assert error_of(fapi.redeem(fapi.code(), key=weak)) == "invalid_dpop_proof"
