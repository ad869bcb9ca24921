"""DPoP at the endpoints that issue tokens, and at those that read them (RFC 9449)."""

import base64
import json
import subprocess
import sys
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from joserfc.jwk import RSAKey

from auth_core.events import Event
from auth_core.oauth.endpoints.metadata import provider_metadata
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import ApplicationPolicy, Authorization, RefreshToken, SpentProof
from auth_core.oauth.sweep import delete_expired
from auth_core.oauth.testing.factories import (
    Registered,
    exchange,
    introspect,
    make_application,
    make_code,
    make_tokens,
    refresh,
    userinfo,
)
from auth_core.oauth.testing.proofs import KeyHolder, present, push
from auth_core.oauth_resource.proofs.nonces import current_nonce
from people import asked

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> KeyHolder:
    """The key of a client."""
    return KeyHolder()


def bound_tokens(application: Registered, user: Any, key: KeyHolder, **values: Any) -> dict[str, Any]:
    response = exchange(application, make_code(application, user, **values), proof=key.proof())
    assert response.status_code == 200, response.content
    body: dict[str, Any] = response.json()
    return body


def read(token: str, key: KeyHolder, **changes: Any) -> Any:
    """Return the answer of userinfo to a bound token."""
    return present(token, key.proof("GET", "/oauth/userinfo", access_token=token, **changes))


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "EdDSA"])
@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
def test_tokens_are_bound_to_the_key_of_the_proof(algorithm: str, token_format: str, alice: Any) -> None:
    application, key = make_application(token_format=token_format), KeyHolder(algorithm)

    body = bound_tokens(application, alice, key)

    claims = introspect(application, body["access_token"])
    assert body["token_type"] == claims["token_type"] == "DPoP"
    assert claims["cnf"] == {"jkt": key.thumbprint}
    assert read(body["access_token"], key).status_code == 200


@pytest.mark.asvs("10.3.5")
@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
def test_a_bound_token_is_refused_as_bearer(token_format: str, alice: Any, key: KeyHolder, client: Any) -> None:
    token = bound_tokens(make_application(token_format=token_format), alice, key)["access_token"]

    in_header = userinfo(token)
    in_body = client.post("/oauth/userinfo", f"access_token={token}", content_type="application/x-www-form-urlencoded")

    assert in_header.status_code == in_body.status_code == 401
    assert in_header.headers["WWW-Authenticate"].startswith('DPoP error="invalid_token"')


def test_a_token_that_is_bound_to_no_key_is_refused_under_dpop(web: Registered, alice: Any, key: KeyHolder) -> None:
    token = make_tokens(web, alice)["access_token"]

    answer = read(token, key)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"].startswith("DPoP ")


def test_another_key_does_not_open_a_bound_token(web: Registered, alice: Any, key: KeyHolder) -> None:
    token = bound_tokens(web, alice, key)["access_token"]

    assert read(token, KeyHolder()).json()["error"] == "invalid_token"


def test_a_proof_for_another_token_is_refused(web: Registered, alice: Any, key: KeyHolder) -> None:
    first, second = (bound_tokens(web, alice, key)["access_token"] for _token in range(2))

    answer = present(first, key.proof("GET", "/oauth/userinfo", access_token=second))

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_dpop_proof")
    assert present(first, key.proof("GET", "/oauth/userinfo")).json()["error"] == "invalid_dpop_proof"
    assert present(first, "").json()["error"] == "invalid_dpop_proof"


#: Claims of proofs that are refused, each with why.
WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "another method": {"htm": "GET"},
    "the method in lower case": {"htm": "post"},
    "no method": {"htm": None},
    "another path": {"htu": "https://auth.example.org/oauth/revoke"},
    "another host": {"htu": "https://evil.example/oauth/token"},
    "another scheme": {"htu": "http://auth.example.org/oauth/token"},
    "another port": {"htu": "https://auth.example.org:8443/oauth/token"},
    "an address with credentials": {"htu": "https://a:b@auth.example.org/oauth/token"},
    "no address": {"htu": None},
    "an address that is a list": {"htu": ["https://auth.example.org/oauth/token"]},
    "no time": {"iat": None},
    "a time in words": {"iat": "1700000000"},
    "a time that is true": {"iat": True},
    "no id": {"jti": None},
    "an empty id": {"jti": ""},
    "an id of usual text and too long": {"jti": "x" * 300},
    "a number as id": {"jti": 7},
    "an end that has passed": {"exp": 1_000_000_000},
    "an end that is no number": {"exp": "soon"},
    "a begin in the future": {"nbf": 4_000_000_000},
}

#: Headers of proofs that are refused.
WRONG_HEADERS: dict[str, dict[str, Any]] = {
    "another type": {"typ": "JWT"},
    "the type of an access token": {"typ": "at+jwt"},
    "no type": {"typ": None},
    "no key": {"jwk": None},
    "a key that is no object": {"jwk": "x"},
    "a key of an unknown type": {"jwk": {"kty": "oct", "k": "AAAA"}},
    "a key that is not on the curve": {"jwk": {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}},
    "an extension that must be understood": {"crit": ["exp"], "exp": 1},
}


@pytest.mark.parametrize("why", WRONG_CLAIMS)
def test_a_proof_with_a_wrong_claim_is_refused_and_spends_nothing(
    why: str, web: Registered, alice: Any, key: KeyHolder
) -> None:
    code = make_code(web, alice)

    answer = exchange(web, code, proof=key.proof(**WRONG_CLAIMS[why]))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof"), why
    assert not SpentProof.objects.exists()
    assert exchange(web, code, proof=key.proof()).status_code == 200


@pytest.mark.parametrize("why", WRONG_HEADERS)
def test_a_proof_with_a_wrong_header_is_refused(why: str, web: Registered, alice: Any, key: KeyHolder) -> None:
    answer = exchange(web, make_code(web, alice), proof=key.proof(header=WRONG_HEADERS[why]))

    assert answer.json()["error"] == "invalid_dpop_proof", why


@pytest.mark.parametrize("age", [-3600, -61, 31, 3600])
def test_an_old_proof_and_one_of_the_future_are_refused(
    age: int, web: Registered, alice: Any, key: KeyHolder, clock: Any
) -> None:
    code, moment = make_code(web, alice), _now()

    assert exchange(web, code, proof=key.proof(iat=moment + age)).json()["error"] == "invalid_dpop_proof"


@pytest.mark.parametrize("age", [-59, -10, 0, 10, 29])
def test_the_clock_of_a_client_may_differ_a_little(
    age: int, web: Registered, alice: Any, key: KeyHolder, clock: Any
) -> None:
    assert exchange(web, make_code(web, alice), proof=key.proof(iat=_now() + age)).status_code == 200


def _now() -> int:
    return int(timezone.now().timestamp())


@pytest.mark.parametrize(
    "address",
    [
        "HTTPS://AUTH.example.org/oauth/token",
        "https://auth.example.org:443/oauth/token",
        "https://auth.example.org/oauth/token?x=y#z",
        "https://auth.example.org/oauth/%74oken",
    ],
)
def test_an_address_that_is_written_otherwise_is_the_same(
    address: str, web: Registered, alice: Any, key: KeyHolder
) -> None:
    assert exchange(web, make_code(web, alice), proof=key.proof(htu=address)).status_code == 200


def test_the_host_header_decides_nothing(web: Registered, alice: Any, key: KeyHolder, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    token = bound_tokens(web, alice, key)["access_token"]
    proof = key.proof("GET", access_token=token, htu="https://evil.example/oauth/userinfo")
    answer = Client(HTTP_HOST="evil.example").get(
        "/oauth/userinfo", HTTP_AUTHORIZATION=f"DPoP {token}", HTTP_DPOP=proof
    )

    assert answer.json()["error"] == "invalid_dpop_proof"


def test_two_headers_are_refused(web: Registered, alice: Any, key: KeyHolder) -> None:
    """A web server joins headers of one name with a comma."""
    code = make_code(web, alice)

    for joint in (",", ", "):
        both = joint.join([key.proof(), key.proof()])
        assert exchange(web, code, proof=both).json()["error"] == "invalid_dpop_proof"


@pytest.mark.parametrize("text", ["x", "a.b.c", "..", "eyJ9.e30.", "é.é.é", "x" * 9000, "e30.e30.e30"])
def test_what_is_no_token_is_refused(text: str, web: Registered, alice: Any) -> None:
    assert exchange(web, make_code(web, alice), proof=text).json()["error"] == "invalid_dpop_proof"


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "EdDSA"])
def test_a_private_key_in_the_header_is_refused(algorithm: str, web: Registered, alice: Any) -> None:
    key = KeyHolder(algorithm)
    proof = key.proof(header={"jwk": key.key.as_dict(private=True)})

    assert exchange(web, make_code(web, alice), proof=proof).json()["error"] == "invalid_dpop_proof"


def test_a_proof_that_another_key_signed_is_refused(web: Registered, alice: Any, key: KeyHolder) -> None:
    proof = key.proof(header={"jwk": KeyHolder().jwk})

    assert exchange(web, make_code(web, alice), proof=proof).json()["error"] == "invalid_dpop_proof"


@pytest.mark.filterwarnings("ignore:Key size should be:joserfc.errors.SecurityWarning")
def test_algorithms_are_an_explicit_list(web: Registered, alice: Any) -> None:
    for weak in (KeyHolder("RS256"), KeyHolder("PS256", RSAKey.generate_key(1024))):
        assert exchange(web, make_code(web, alice), proof=weak.proof()).json()["error"] == "invalid_dpop_proof"


def test_a_token_without_a_signature_is_refused(web: Registered, alice: Any, key: KeyHolder) -> None:
    _header, payload, _signature = key.proof().split(".")
    header = json.dumps({"alg": "none", "typ": "dpop+jwt", "jwk": key.jwk}).encode()
    forged = f"{base64.urlsafe_b64encode(header).rstrip(b'=').decode()}.{payload}."

    assert exchange(web, make_code(web, alice), proof=forged).json()["error"] == "invalid_dpop_proof"


def test_a_proof_works_once_at_the_token_endpoint(web: Registered, alice: Any, key: KeyHolder) -> None:
    proof, code = key.proof(), make_code(web, alice)
    assert exchange(web, make_code(web, alice), proof=proof).status_code == 200

    again = exchange(web, code, proof=proof)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_dpop_proof")
    assert exchange(web, code, proof=key.proof()).status_code == 200, "a replay spends no code"


def test_a_proof_works_once_at_a_resource(web: Registered, alice: Any, key: KeyHolder) -> None:
    token = bound_tokens(web, alice, key)["access_token"]
    proof = key.proof("GET", "/oauth/userinfo", access_token=token)

    answers = [present(token, proof) for _use in range(2)]

    assert [answer.status_code for answer in answers] == [200, 401]
    assert 'DPoP error="invalid_dpop_proof"' in answers[1].headers["WWW-Authenticate"]


def test_the_same_id_of_another_key_is_another_proof(web: Registered, alice: Any) -> None:
    for _key in range(2):
        assert exchange(web, make_code(web, alice), proof=KeyHolder().proof(jti="one")).status_code == 200


def test_a_spent_proof_is_kept_for_its_window_and_then_deleted(
    web: Registered, alice: Any, key: KeyHolder, clock: Any
) -> None:
    exchange(web, make_code(web, alice), proof=key.proof())

    clock.forward(seconds=100)
    delete_expired()
    assert SpentProof.objects.count() == 1
    clock.forward(seconds=21)
    delete_expired()
    assert not SpentProof.objects.exists()


def test_a_challenge_for_a_nonce_spends_nothing(web: Registered, alice: Any, key: KeyHolder) -> None:
    code = make_code(web, alice)

    challenge = exchange(web, code, proof=key.proof(nonce=None, jti="one"))
    again = exchange(web, code, proof=key.proof(nonce=challenge.headers["DPoP-Nonce"], jti="one"))

    assert (challenge.status_code, challenge.json()["error"]) == (400, "use_dpop_nonce")
    assert again.status_code == 200
    assert again.headers["DPoP-Nonce"]


def test_a_challenge_is_no_refusal_of_the_trail(
    web: Registered, alice: Any, key: KeyHolder, events: list[Event]
) -> None:
    exchange(web, make_code(web, alice), proof=key.proof(nonce=None))
    assert OAuthEvent.REQUEST_REFUSED not in [event.name for event in events]

    exchange(web, make_code(web, alice), proof=key.proof(htm="GET"))
    assert events[-1].name is OAuthEvent.REQUEST_REFUSED
    assert events[-1].reason == "invalid_dpop_proof"


@pytest.mark.parametrize("public", [True, False])
def test_a_challenge_at_a_refresh_spends_nothing(public: bool, alice: Any, key: KeyHolder) -> None:
    application = make_application(public=public)
    token = bound_tokens(application, alice, key)["refresh_token"]

    challenge = refresh(application, token, proof=key.proof(nonce="1-" + "0" * 40))
    again = refresh(application, token, proof=key.proof(nonce=challenge.headers["DPoP-Nonce"]))

    assert challenge.json()["error"] == "use_dpop_nonce"
    assert (again.status_code, again.json()["token_type"]) == (200, "DPoP")


def test_a_challenge_at_a_pushed_request_stores_nothing(web: Registered, key: KeyHolder) -> None:
    parameters = asked(web)

    challenge = push(web, proof=key.proof(path="/oauth/par", nonce=None), **parameters)
    again = push(web, proof=key.proof(path="/oauth/par", nonce=challenge.headers["DPoP-Nonce"]), **parameters)

    assert challenge.json()["error"] == "use_dpop_nonce"
    assert again.status_code == 201
    assert again.headers["DPoP-Nonce"]


def test_a_challenge_at_a_resource_names_the_nonce(web: Registered, alice: Any, key: KeyHolder) -> None:
    token = bound_tokens(web, alice, key)["access_token"]

    challenge = read(token, key, nonce=None)
    again = read(token, key, nonce=challenge.headers["DPoP-Nonce"])

    assert (challenge.status_code, challenge.json()["error"]) == (401, "use_dpop_nonce")
    assert challenge.headers["WWW-Authenticate"].startswith('DPoP error="use_dpop_nonce"')
    assert (again.status_code, bool(again.headers["DPoP-Nonce"])) == (200, True)


def test_a_nonce_is_used_for_its_lifetime(web: Registered, alice: Any, key: KeyHolder, clock: Any) -> None:
    nonce = current_nonce()

    clock.forward(minutes=4)
    assert exchange(web, make_code(web, alice), proof=key.proof(nonce=nonce)).status_code == 200
    clock.forward(minutes=2)
    assert exchange(web, make_code(web, alice), proof=key.proof(nonce=nonce)).json()["error"] == "use_dpop_nonce"


def test_a_site_may_do_without_nonces(web: Registered, alice: Any, key: KeyHolder, settings: Any) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "DPOP_NONCE_REQUIRED": False}

    assert exchange(web, make_code(web, alice), proof=key.proof(nonce=None)).status_code == 200
    wrong = exchange(web, make_code(web, alice), proof=key.proof(nonce="x"))
    assert wrong.json()["error"] == "use_dpop_nonce"


def test_a_script_of_a_registered_origin_reads_the_nonce(alice: Any, key: KeyHolder, client: Any) -> None:
    application = make_application(public=True, allowed_origins="https://app.example")

    preflight = client.options("/oauth/token", HTTP_ORIGIN="https://app.example")
    answer = application.post(
        "/oauth/token",
        type(client)(HTTP_ORIGIN="https://app.example"),
        grant_type="authorization_code",
        code="x",
        proof=key.proof(nonce=None),
    )

    assert "DPoP" in preflight.headers["Access-Control-Allow-Headers"]
    assert "DPoP-Nonce" in answer.headers["Access-Control-Expose-Headers"]
    assert answer.headers["DPoP-Nonce"]


def test_refresh_tokens_of_a_public_client_are_bound_to_its_key(native: Registered, alice: Any, key: KeyHolder) -> None:
    token = bound_tokens(native, alice, key)["refresh_token"]

    stolen = [refresh(native, token), refresh(native, token, proof=KeyHolder().proof())]

    assert {answer.json()["error"] for answer in stolen} == {"invalid_grant"}
    own = refresh(native, token, proof=key.proof())
    assert own.status_code == 200, "a thief without the key spends nothing"
    assert RefreshToken.objects.count() == 2
    assert refresh(native, own.json()["refresh_token"], proof=key.proof()).status_code == 200


@pytest.mark.parametrize("rotates", [True, False])
def test_a_confidential_client_may_refresh_with_a_new_key(rotates: bool, alice: Any, key: KeyHolder) -> None:
    application = make_application(rotates_refresh_tokens=rotates)
    token = bound_tokens(application, alice, key)["refresh_token"]

    second = KeyHolder()
    body = refresh(application, token, proof=second.proof()).json()

    assert introspect(application, body["access_token"])["cnf"] == {"jkt": second.thumbprint}


def test_an_application_may_require_dpop(alice: Any, key: KeyHolder) -> None:
    application = make_application(require_dpop=True)
    code = make_code(application, alice)

    without = exchange(application, code)

    assert (without.status_code, without.json()["error"]) == (400, "invalid_dpop_proof")
    tokens = exchange(application, code, proof=key.proof())
    assert tokens.status_code == 200
    assert refresh(application, tokens.json()["refresh_token"]).json()["error"] == "invalid_dpop_proof"


def test_a_requirement_counts_at_the_next_request(web: Registered, alice: Any) -> None:
    token = make_tokens(web, alice)["refresh_token"]
    assert refresh(web, token).status_code == 200

    ApplicationPolicy.objects.update(require_dpop=True)

    assert refresh(web, token).json()["error"] == "invalid_dpop_proof"


def test_a_code_is_bound_to_the_key_of_its_request(web: Registered, alice: Any, key: KeyHolder) -> None:
    def bound_code() -> str:
        code = make_code(web, alice)
        Authorization.objects.update(dpop_jkt=key.thumbprint)
        return code

    assert exchange(web, bound_code(), proof=KeyHolder().proof()).json()["error"] == "invalid_grant"
    assert exchange(web, bound_code()).json()["error"] == "invalid_grant"
    assert exchange(web, bound_code(), proof=key.proof()).status_code == 200


def test_a_code_of_another_application_spends_neither_the_code_nor_the_proof(
    web: Registered, alice: Any, key: KeyHolder
) -> None:
    other, proof = make_application(), key.proof()
    code = make_code(other, alice)

    assert exchange(web, code, proof=proof).json()["error"] == "invalid_grant"

    assert not SpentProof.objects.exists()
    assert exchange(other, code, proof=key.proof()).status_code == 200
    assert exchange(web, make_code(web, alice), proof=proof).status_code == 200


def test_a_refresh_token_of_another_application_spends_nothing(web: Registered, alice: Any, key: KeyHolder) -> None:
    other, proof = make_application(), key.proof()
    token = make_tokens(other, alice)["refresh_token"]

    assert refresh(web, token, proof=proof).json()["error"] == "invalid_grant"

    assert not SpentProof.objects.exists()


@pytest.mark.parametrize("code", ["x", "eac_" + "x" * 43])
def test_an_unknown_code_spends_the_proof(code: str, web: Registered, key: KeyHolder) -> None:
    proof = key.proof()

    assert exchange(web, code, proof=proof).json()["error"] == "invalid_grant"
    assert exchange(web, code, proof=proof).json()["error"] == "invalid_dpop_proof"


@pytest.mark.parametrize("parameters", [{}, {"grant_type": "password"}, {"grant_type": "authorization_code"}])
def test_a_request_that_is_refused_early_spends_the_proof(
    parameters: dict[str, str], web: Registered, key: KeyHolder
) -> None:
    proof = key.proof()

    first = web.post("/oauth/token", proof=proof, **parameters)
    second = web.post("/oauth/token", proof=proof, **parameters)

    assert first.json()["error"] in ("invalid_request", "unsupported_grant_type")
    assert second.json()["error"] == "invalid_dpop_proof"


def test_an_application_gets_bound_tokens_for_itself(service: Registered, key: KeyHolder) -> None:
    body = service.post("/oauth/token", grant_type="client_credentials", proof=key.proof()).json()

    assert body["token_type"] == "DPoP"
    assert introspect(service, body["access_token"])["cnf"] == {"jkt": key.thumbprint}


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
def test_a_bound_token_opens_a_route_of_the_api(
    scheme: str, alice: Any, key: KeyHolder, client: Any, settings: Any
) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "SCOPES": {"orders:read": "See your orders"}}
    application = make_application(scopes="orders:read")
    token = bound_tokens(application, alice, key, scopes=["orders:read"])["access_token"]

    def ask(proof: str, scheme: str = scheme) -> Any:
        return client.get("/api/v1/orders/", HTTP_AUTHORIZATION=f"{scheme} {token}", HTTP_DPOP=proof)

    good = ask(key.proof("GET", "/api/v1/orders/", access_token=token))
    bearer = client.get("/api/v1/orders/", HTTP_AUTHORIZATION=f"Bearer {token}")
    other = ask(key.proof("GET", "/api/v1/other/", access_token=token))
    challenge = ask(key.proof("GET", "/api/v1/orders/", access_token=token, nonce=None))

    assert (good.status_code, good.json()) == (200, {"user": str(alice.pk)})
    assert good.headers["DPoP-Nonce"]
    assert [answer.status_code for answer in (bearer, other, challenge)] == [401, 401, 401]
    assert bearer.headers["WWW-Authenticate"].startswith('DPoP error="invalid_token"')
    assert other.headers["WWW-Authenticate"].startswith('DPoP error="invalid_dpop_proof"')
    assert challenge.headers["WWW-Authenticate"].startswith('DPoP error="use_dpop_nonce"')
    assert challenge.headers["DPoP-Nonce"]


def test_every_challenge_says_what_a_proof_may_be_signed_with(
    web: Registered, alice: Any, key: KeyHolder, client: Any
) -> None:
    """Source: RFC 9449 section 7.1."""
    token = bound_tokens(web, alice, key)["access_token"]
    headers = {"HTTP_AUTHORIZATION": f"DPoP {token}", "HTTP_DPOP": key.proof(nonce=None, access_token=token)}

    challenges = [
        answer.headers["WWW-Authenticate"]
        for answer in (
            client.get("/oauth/userinfo", **headers),
            client.get("/api/v1/orders/", **headers),
            client.get("/oauth/userinfo", HTTP_AUTHORIZATION=f"DPoP {token}x", HTTP_DPOP=headers["HTTP_DPOP"]),
            client.get("/oauth/userinfo", HTTP_AUTHORIZATION=f"DPoP {token}"),
        )
    ]

    assert all('algs="PS256 ES256 EdDSA"' in challenge for challenge in challenges), challenges
    assert provider_metadata()["dpop_signing_alg_values_supported"] == ["PS256", "ES256", "EdDSA"]
    unknown = client.get("/oauth/userinfo", HTTP_AUTHORIZATION=f"Bearer {token}x").headers["WWW-Authenticate"]
    assert "algs" not in unknown
    bearer = client.get("/oauth/userinfo", HTTP_AUTHORIZATION=f"Bearer {token}").headers["WWW-Authenticate"]
    assert bearer.startswith("DPoP "), "a bound token needs a proof"


def test_a_bound_token_opens_no_view_of_the_toolkit(web: Registered, alice: Any, key: KeyHolder, client: Any) -> None:
    token = bound_tokens(web, alice, key)["access_token"]

    for address in ("/toolkit/", "/toolkit-api/"):
        assert client.get(address, HTTP_AUTHORIZATION=f"Bearer {token}").status_code in (401, 403)


def test_a_resource_server_reads_proofs_without_django() -> None:
    program = "import sys, auth_core.oauth_resource.proofs.dpop; print('django' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
