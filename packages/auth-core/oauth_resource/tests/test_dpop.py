"""Tokens that are bound to a key (RFC 9449): what a resource server accepts, and what it answers."""

import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client as Browser

from auth_core.oauth_resource.proofs.dpop import hash_of
from auth_core.oauth_resource.proofs.nonces import current_nonce
from auth_core.oauth_resource.testing.holder import KeyHolder
from auth_core.oauth_resource.testing.issuer import INTROSPECTION, FakeIssuer
from auth_core.testing.clock import Clock
from conftest import RESOURCE, Get, accept

ORIGIN = "https://api.example.org"
ALGS = 'algs="PS256 ES256 EdDSA"'
VIEWS = ["/notes/", "/api/notes/", "/async/"]


@pytest.fixture
def holder() -> KeyHolder:
    """Who has a key."""
    return KeyHolder()


@pytest.fixture
def token(issuer: FakeIssuer, holder: KeyHolder) -> str:
    """A token that is bound to the key of `holder`."""
    return issuer.token(RESOURCE, cnf={"jkt": holder.thumbprint})


def present(token: str, proof: str, path: str = "/notes/", method: str = "get", *, scheme: str = "DPoP") -> Any:
    """Send *token* with *proof*."""
    send = getattr(Browser(), method)
    return send(path, HTTP_AUTHORIZATION=f"{scheme} {token}", HTTP_DPOP=proof)


def proof_for(holder: KeyHolder, token: str, path: str = "/notes/", method: str = "GET", **changes: Any) -> str:
    return holder.proof_for(method, f"{ORIGIN}{path}", access_token=token, **changes)


@pytest.mark.parametrize("path", VIEWS)
@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "EdDSA"])
def test_a_bound_token_with_a_proof_opens_the_view(algorithm: str, path: str, issuer: FakeIssuer) -> None:
    holder = KeyHolder(algorithm)
    token = issuer.token(RESOURCE, cnf={"jkt": holder.thumbprint})

    answer = present(token, proof_for(holder, token, path), path)

    assert answer.status_code == 200
    assert answer.json()["subject"] == "alice"
    assert answer.headers["DPoP-Nonce"] == current_nonce()


@pytest.mark.asvs("10.3.5")
@pytest.mark.parametrize("path", VIEWS)
def test_a_bound_token_is_refused_as_bearer(path: str, token: str, holder: KeyHolder) -> None:
    for headers in ({}, {"HTTP_DPOP": proof_for(holder, token, path)}):
        answer = Browser().get(path, HTTP_AUTHORIZATION=f"Bearer {token}", **headers)

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith('DPoP error="invalid_token"')
        assert answer.headers["WWW-Authenticate"].endswith(ALGS)


@pytest.mark.parametrize("path", VIEWS)
def test_an_unbound_token_is_refused_under_dpop(path: str, issuer: FakeIssuer, holder: KeyHolder) -> None:
    token = issuer.token(RESOURCE)

    answer = present(token, proof_for(holder, token, path), path)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('DPoP error="invalid_token"')


def resigned(holder: KeyHolder, token: str) -> str:
    """A proof whose signature is of another key than the one in its header."""
    return proof_for(holder, token, header={"jwk": KeyHolder().jwk})


def another_key(holder: KeyHolder, token: str) -> str:
    return proof_for(KeyHolder(), token)


def with_private_key(holder: KeyHolder, token: str) -> str:
    return proof_for(holder, token, header={"jwk": holder.key.as_dict(private=True)})


def twice(holder: KeyHolder, token: str) -> str:
    return f"{proof_for(holder, token)}, {proof_for(holder, token)}"


def changed(**changes: Any) -> Callable[[KeyHolder, str], str]:
    return lambda holder, token: proof_for(holder, token, **changes)


def of_header(**header: Any) -> Callable[[KeyHolder, str], str]:
    return lambda holder, token: proof_for(holder, token, header=header)


#: Proofs that are refused, with the error of the challenge.
WRONG: dict[str, tuple[Callable[[KeyHolder, str], str], str]] = {
    "none": (lambda *_: "", "invalid_dpop_proof"),
    "two": (twice, "invalid_dpop_proof"),
    "no token at all": (lambda *_: "x", "invalid_dpop_proof"),
    "another key": (another_key, "invalid_token"),
    "a wrong signature": (resigned, "invalid_dpop_proof"),
    "a private key in it": (with_private_key, "invalid_dpop_proof"),
    "another type": (of_header(typ="JWT"), "invalid_dpop_proof"),
    "no type": (of_header(typ=None), "invalid_dpop_proof"),
    "no key": (of_header(jwk=None), "invalid_dpop_proof"),
    "another method": (changed(htm="POST"), "invalid_dpop_proof"),
    "a method in lower case": (changed(htm="get"), "invalid_dpop_proof"),
    "no method": (changed(htm=None), "invalid_dpop_proof"),
    "another path": (changed(htu=f"{ORIGIN}/other/"), "invalid_dpop_proof"),
    "another host": (changed(htu="https://evil.example/notes/"), "invalid_dpop_proof"),
    "another port": (changed(htu=f"{ORIGIN}:8443/notes/"), "invalid_dpop_proof"),
    "without TLS": (changed(htu="http://api.example.org/notes/"), "invalid_dpop_proof"),
    "an address of another type": (changed(htu=["x"]), "invalid_dpop_proof"),
    "another access token": (changed(ath=hash_of("another")), "invalid_dpop_proof"),
    "no access token": (changed(ath=None), "invalid_dpop_proof"),
    "a hash in hex": (changed(ath=hashlib.sha256(b"x").hexdigest()), "invalid_dpop_proof"),
    "half a character as the hash": (changed(ath="\ud800"), "invalid_dpop_proof"),
    "half a character as the id": (changed(jti="\ud800"), "invalid_dpop_proof"),
    "no id": (changed(jti=None), "invalid_dpop_proof"),
    "too old": (changed(iat=1), "invalid_dpop_proof"),
    "from the future": (changed(iat=99_999_999_999), "invalid_dpop_proof"),
    "no time": (changed(iat=None), "invalid_dpop_proof"),
    "no nonce": (changed(nonce=None), "use_dpop_nonce"),
    "a wrong nonce": (changed(nonce="abc"), "use_dpop_nonce"),
    "half a character as the nonce": (changed(nonce="\ud800"), "use_dpop_nonce"),
}


@pytest.mark.asvs("10.3.5")
@pytest.mark.parametrize("case", WRONG)
def test_any_other_proof_is_refused(case: str, token: str, holder: KeyHolder) -> None:
    make, error = WRONG[case]

    answer = present(token, make(holder, token))

    assert answer.status_code == 401
    assert answer.json()["error"] == error
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith(f'DPoP error="{error}"')
    assert challenge.endswith(ALGS)
    assert "resource_metadata=" in challenge


@pytest.mark.parametrize("path", VIEWS)
def test_a_challenge_for_a_nonce_brings_the_nonce(path: str, token: str, holder: KeyHolder) -> None:
    challenge = present(token, proof_for(holder, token, path, nonce=None), path)

    assert challenge.json()["error"] == "use_dpop_nonce"
    again = proof_for(holder, token, path, nonce=challenge.headers["DPoP-Nonce"])
    assert present(token, again, path).status_code == 200


def test_a_nonce_is_accepted_for_a_minute(issuer: FakeIssuer, holder: KeyHolder, clock: Clock) -> None:
    token, nonce = issuer.token(RESOURCE, cnf={"jkt": holder.thumbprint}), current_nonce()

    clock.forward(seconds=60)
    assert present(token, proof_for(holder, token, nonce=nonce)).status_code == 200
    clock.forward(seconds=60)
    assert present(token, proof_for(holder, token, nonce=nonce)).json()["error"] == "use_dpop_nonce"


def test_no_setting_turns_the_nonce_off_where_nothing_keeps_the_ids(
    settings: Any, issuer: FakeIssuer, holder: KeyHolder, token: str
) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "DPOP_NONCE_REQUIRED": False}

    assert present(token, proof_for(holder, token, nonce=None)).json()["error"] == "use_dpop_nonce"


SAME = ["HTTPS://API.example.org/notes/", f"{ORIGIN}:443/notes/", f"{ORIGIN}/notes/?page=2#x", f"{ORIGIN}/%6eotes/"]


@pytest.mark.parametrize("htu", SAME)
def test_the_address_is_compared_after_it_is_normalised(htu: str, token: str, holder: KeyHolder) -> None:
    assert present(token, proof_for(holder, token, htu=htu)).status_code == 200


def test_an_address_with_other_characters_is_compared_in_its_encoded_form(token: str, holder: KeyHolder) -> None:
    path = "/bound/größe%/"

    answer = present(token, proof_for(holder, token, quote(path)), quote(path))

    assert answer.status_code == 200


def test_the_host_header_decides_nothing(token: str, holder: KeyHolder) -> None:
    headers = {"HTTP_AUTHORIZATION": f"DPoP {token}", "HTTP_HOST": "testserver"}

    right = Browser().get("/notes/", HTTP_DPOP=proof_for(holder, token), **headers)
    wrong = Browser().get("/notes/", HTTP_DPOP=proof_for(holder, token, htu="http://testserver/notes/"), **headers)

    assert (right.status_code, wrong.status_code) == (200, 401)


BINDINGS: list[Any] = [
    {"x5t#S256": "x" * 43}, {"jkt": 1}, {"jkt": ""}, {}, "x", ["jkt"], 1, {"jkt": "\ud800"},
]  # fmt: skip


@pytest.mark.parametrize("cnf", BINDINGS)
def test_a_token_that_is_bound_in_another_way_opens_nothing(
    cnf: Any, issuer: FakeIssuer, holder: KeyHolder, get: Get
) -> None:
    token = issuer.token(RESOURCE, cnf=cnf)

    assert get(token).status_code == 401
    assert present(token, proof_for(holder, token)).status_code == 401


def test_a_token_that_is_bound_to_a_certificate_as_well_opens_nothing(issuer: FakeIssuer, holder: KeyHolder) -> None:
    token = issuer.token(RESOURCE, cnf={"jkt": holder.thumbprint, "x5t#S256": "x" * 43})

    assert present(token, proof_for(holder, token)).status_code == 401


@pytest.mark.parametrize("path", ["/bound/", "/api/bound/"])
def test_a_view_may_need_a_bound_token(path: str, issuer: FakeIssuer, holder: KeyHolder, token: str, get: Get) -> None:
    unbound = get(issuer.token(RESOURCE), path)

    assert unbound.status_code == 401
    assert unbound.headers["WWW-Authenticate"].startswith('DPoP error="invalid_token"')
    assert present(token, proof_for(holder, token, path), path).status_code == 200


def test_another_credential_does_not_pass_where_a_bound_token_is_needed(get: Get, db: None) -> None:
    assert get(None, "/api/bound/", HTTP_AUTHORIZATION="Basic eDp5").status_code in (401, 403)


@pytest.mark.parametrize("path", VIEWS)
def test_the_site_may_need_bound_tokens_alone(
    path: str, settings: Any, issuer: FakeIssuer, holder: KeyHolder, token: str, get: Get
) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "REQUIRE_DPOP": True}

    assert get(issuer.token(RESOURCE), path).status_code == 401
    assert get(None, path).headers["WWW-Authenticate"].startswith('DPoP scope="notes:read"')
    assert present(token, proof_for(holder, token, path), path).status_code == 200
    metadata = get(None, "/.well-known/oauth-protected-resource/notes").json()
    assert metadata["dpop_bound_access_tokens_required"] is True


@pytest.mark.parametrize("path", ["/notes/", "/api/notes/"])
def test_what_a_bound_token_lacks_is_answered_under_its_scheme(
    path: str, issuer: FakeIssuer, holder: KeyHolder
) -> None:
    token = issuer.token(RESOURCE, cnf={"jkt": holder.thumbprint}, scope="other")

    answer = present(token, proof_for(holder, token, path), path)

    assert answer.status_code == 403
    assert answer.headers["WWW-Authenticate"].startswith('DPoP error="insufficient_scope", scope="notes:read"')


def test_a_wrong_token_under_dpop_is_answered_under_it(issuer: FakeIssuer, holder: KeyHolder) -> None:
    answer = present("wrong", proof_for(holder, "wrong"))

    assert answer.headers["WWW-Authenticate"].startswith('DPoP error="invalid_token"')


OPAQUE = "opaque-token"


def introspected(settings: Any, issuer: FakeIssuer, **members: Any) -> None:
    accept(settings, issuer, client_id="api", client_secret="secret")
    issuer.introspected[OPAQUE] = {"active": True, "sub": "alice", "aud": RESOURCE, "scope": "notes:read", **members}


def test_introspection_says_to_which_key_a_token_is_bound(settings: Any, issuer: FakeIssuer, holder: KeyHolder) -> None:
    introspected(settings, issuer, token_type="DPoP", cnf={"jkt": holder.thumbprint})

    assert present(OPAQUE, proof_for(holder, OPAQUE)).status_code == 200
    assert present(OPAQUE, proof_for(KeyHolder(), OPAQUE)).status_code == 401
    assert Browser().get("/notes/", HTTP_AUTHORIZATION=f"Bearer {OPAQUE}").status_code == 401


def test_the_claims_of_a_token_and_its_introspection_both_bind_it(
    settings: Any, issuer: FakeIssuer, holder: KeyHolder, get: Get
) -> None:
    accept(settings, issuer, client_id="api", client_secret="secret")
    active = {"active": True, "sub": "alice", "aud": RESOURCE, "scope": "notes:read"}
    token = issuer.token(RESOURCE, cnf={"jkt": holder.thumbprint})
    issuer.introspected[token] = active
    assert present(token, proof_for(holder, token)).status_code == 200
    assert get(token).status_code == 401, "the answer of the issuer leaves the binding out"

    other = issuer.token(RESOURCE, cnf={"jkt": holder.thumbprint})
    issuer.introspected[other] = {**active, "cnf": {"jkt": "x" * 43}}
    assert present(other, proof_for(holder, other)).status_code == 401


def test_a_wrong_proof_asks_no_issuer(settings: Any, issuer: FakeIssuer, holder: KeyHolder) -> None:
    introspected(settings, issuer, cnf={"jkt": holder.thumbprint})

    assert present(OPAQUE, proof_for(holder, "another")).status_code == 401
    assert issuer.count(INTROSPECTION) == 0
