"""Which tokens open a view of the site. Every request is a request of Django to the plain view."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

from auth_core.oauth_resource.testing.issuer import JWKS, FakeIssuer, fake_issuer, reply
from conftest import RESOURCE, Get, accept


def encoded(part: Any) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def in_seconds(seconds: float) -> int:
    return int((timezone.now() + timedelta(seconds=seconds)).timestamp())


def test_a_token_opens_the_view(issuer: FakeIssuer, get: Get) -> None:
    answer = get(issuer.token(RESOURCE, scope="notes:read other"))

    assert answer.status_code == 200
    assert answer.json() == {
        "user": "alice",
        "pk": f"{issuer.url}#alice",
        "subject": "alice",
        "application": "app",
        "scopes": ["notes:read", "other"],
    }


def test_a_token_is_verified_without_another_request_once_the_keys_are_loaded(issuer: FakeIssuer, get: Get) -> None:
    get(issuer.token(RESOURCE))
    before = list(issuer.requests)

    statuses = {get(issuer.token(RESOURCE)).status_code for _ in range(20)}

    assert statuses == {200}
    assert issuer.requests == before


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_compared_in_any_case(scheme: str, issuer: FakeIssuer, get: Get) -> None:
    assert get(None, HTTP_AUTHORIZATION=f"{scheme} {issuer.token(RESOURCE)}").status_code == 200


ACCEPTED: dict[str, Callable[[FakeIssuer], str]] = {
    "a full media type": lambda issuer: issuer.token(RESOURCE, header={"typ": "application/at+jwt"}),
    "the type in capitals": lambda issuer: issuer.token(RESOURCE, header={"typ": "AT+JWT"}),
    "several audiences": lambda issuer: issuer.token(RESOURCE, aud=["https://other.example", RESOURCE]),
    "a slash at the end of the audience": lambda issuer: issuer.token(RESOURCE, aud=f"{RESOURCE}/"),
    "an expiry within the leeway": lambda issuer: issuer.token(RESOURCE, exp=in_seconds(-5)),
    "a start within the leeway": lambda issuer: issuer.token(RESOURCE, nbf=in_seconds(5), iat=in_seconds(5)),
    "a claim named token_type": lambda issuer: issuer.token(RESOURCE, token_type="access"),
    "no key id, from an issuer with one key": lambda issuer: issuer.token(RESOURCE, header={"kid": None}),
    "a certificate in the header, which is not read": lambda issuer: issuer.token(
        RESOURCE, header={"x5c": ["MIIB" * 200]}
    ),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_a_valid_token_is_accepted(case: str, issuer: FakeIssuer, get: Get) -> None:
    assert get(ACCEPTED[case](issuer)).status_code == 200


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSAKey.generate_key(2048), "RS256"),
        (RSAKey.generate_key(2048), "PS256"),
        (OKPKey.generate_key("Ed25519"), "EdDSA"),
    ],
)
def test_every_algorithm_verifies(key: Any, algorithm: str, issuer: FakeIssuer, get: Get) -> None:
    issuer.rotate(key, algorithm)

    assert get(issuer.token(RESOURCE)).status_code == 200


def unsigned(name: str) -> Callable[[FakeIssuer], str]:
    def forge(issuer: FakeIssuer) -> str:
        header = {"alg": name, "typ": "at+jwt", "kid": issuer.keys[0][0]}
        return f"{encoded(header)}.{encoded(issuer.claims(RESOURCE))}."

    return forge


def under_the_public_key(issuer: FakeIssuer) -> str:
    kid, key, _ = issuer.keys[0]
    text = f"{encoded({'alg': 'HS256', 'typ': 'at+jwt', 'kid': kid})}.{encoded(issuer.claims(RESOURCE))}"
    public: bytes = key.as_pem(private=False)  # type: ignore[union-attr]  # the key of the issuer is asymmetric
    return f"{text}.{encoded(hmac.new(public, text.encode(), 'sha256').digest())}"


def under_an_embedded_key(issuer: FakeIssuer) -> str:
    own = ECKey.generate_key("P-256")
    return issuer.token(RESOURCE, key=own, header={"jwk": own.as_dict(private=False), "kid": None})


def with_another_payload(issuer: FakeIssuer) -> str:
    header, _payload, signature = issuer.token(RESOURCE).split(".")
    return f"{header}.{encoded(issuer.claims(RESOURCE, sub='bob'))}.{signature}"


def with_nested(part: int) -> Callable[[FakeIssuer], str]:
    def forge(issuer: FakeIssuer) -> str:
        parts = issuer.token(RESOURCE).split(".")
        parts[part] = encoded(b'{"a":' + b"[" * 2500)
        return ".".join(parts)

    return forge


REFUSED: dict[str, Callable[[FakeIssuer], str]] = {
    "no algorithm": unsigned("none"),
    "no algorithm, in another case": unsigned("NONE"),
    "HS256 under the public key": under_the_public_key,
    "another key under the right id": lambda issuer: issuer.token(RESOURCE, key=ECKey.generate_key("P-256")),
    "an unknown key id": lambda issuer: issuer.token(RESOURCE, header={"kid": "other"}),
    "a key in the header": under_an_embedded_key,
    "an address of keys in the header": lambda issuer: issuer.token(
        RESOURCE, key=ECKey.generate_key("P-256"), header={"jku": "https://evil.example/jwks"}
    ),
    "an extension that must be understood": lambda issuer: issuer.token(RESOURCE).replace(
        issuer.token(RESOURCE).split(".")[0],
        encoded({"alg": "ES256", "kid": issuer.keys[0][0], "typ": "at+jwt", "crit": ["exp"], "exp": 1}),
    ),
    "another payload": with_another_payload,
    "an ID token": lambda issuer: issuer.token(RESOURCE, header={"typ": "JWT"}),
    "no type": lambda issuer: issuer.token(RESOURCE, header={"typ": None}),
    "a logout token": lambda issuer: issuer.token(RESOURCE, header={"typ": "logout+jwt"}),
    "another issuer in the claim": lambda issuer: issuer.token(RESOURCE, iss="https://evil.example"),
    "the issuer with a slash": lambda issuer: issuer.token(RESOURCE, iss=f"{issuer.url}/"),
    "no issuer": lambda issuer: issuer.token(RESOURCE, iss=None),
    "a list of issuers": lambda issuer: issuer.token(RESOURCE, iss=[issuer.url]),
    "another audience": lambda issuer: issuer.token("https://other.example"),
    "a longer audience": lambda issuer: issuer.token(f"{RESOURCE}.evil.example"),
    "no audience": lambda issuer: issuer.token(RESOURCE, aud=None),
    "an audience of another type": lambda issuer: issuer.token(RESOURCE, aud=[{"uri": RESOURCE}]),
    "an expiry in the past": lambda issuer: issuer.token(RESOURCE, exp=in_seconds(-11)),
    "no expiry": lambda issuer: issuer.token(RESOURCE, exp=None),
    "an expiry that is a text": lambda issuer: issuer.token(RESOURCE, exp="9999999999"),
    "an expiry that is true": lambda issuer: issuer.token(RESOURCE, exp=True),
    "an expiry that never comes": lambda issuer: issuer.token(RESOURCE, exp=float("inf")),
    "an expiry that is no number": lambda issuer: issuer.token(RESOURCE, exp=float("nan")),
    "a start in the future": lambda issuer: issuer.token(RESOURCE, nbf=in_seconds(60)),
    "an issue in the future": lambda issuer: issuer.token(RESOURCE, iat=in_seconds(60)),
    "no subject": lambda issuer: issuer.token(RESOURCE, sub=None),
    "a subject that is a number": lambda issuer: issuer.token(RESOURCE, sub=1),
    "an empty subject": lambda issuer: issuer.token(RESOURCE, sub=""),
    "a binding to a key": lambda issuer: issuer.token(RESOURCE, cnf={"jkt": "x" * 43}),
    "a binding to a certificate": lambda issuer: issuer.token(RESOURCE, cnf={"x5t#S256": "x" * 43}),
    "an opaque token": lambda issuer: "eat_" + "x" * 43,
    "two tokens": lambda issuer: f"{issuer.token(RESOURCE)},Bearer {issuer.token(RESOURCE)}",
    "an empty token": lambda issuer: "",
    "four parts": lambda issuer: f"{issuer.token(RESOURCE)}.x",
    "ten megabytes": lambda issuer: issuer.token(RESOURCE) + "A" * 10_000_000,
    "a header of nested lists": with_nested(0),
    "claims of nested lists": with_nested(1),
    "claims that are a list": lambda issuer: ".".join([issuer.token(RESOURCE).split(".")[0], encoded([1]), "AA"]),
    "a header that is a text": lambda issuer: f"{encoded('alg')}.{encoded({'iss': issuer.url})}.AA",
    "characters of no token": lambda issuer: f'{issuer.token(RESOURCE)}"',
}


@pytest.mark.parametrize("case", REFUSED)
def test_any_other_token_is_refused(case: str, issuer: FakeIssuer, get: Get) -> None:
    assert get(issuer.token(RESOURCE)).status_code == 200

    answer = get(REFUSED[case](issuer))

    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert answer.json()["error"] == "invalid_token"


@pytest.mark.parametrize("aud", ["", "/"])
def test_a_site_that_names_no_resource_accepts_no_token(aud: str, issuer: FakeIssuer, settings: Any, get: Get) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "RESOURCE": ""}

    assert get(issuer.token(aud)).status_code == 401


def test_the_keys_of_one_issuer_verify_no_token_of_another(issuer: FakeIssuer, settings: Any, get: Get) -> None:
    with fake_issuer() as other:
        accept(settings, issuer, other)
        other.keys = issuer.keys[:]

        assert get(other.token(RESOURCE)).status_code == 200
        other.rotate()
        forged = other.token(RESOURCE, iss=issuer.url, header={"kid": issuer.keys[0][0]})

        assert get(issuer.token(RESOURCE)).status_code == 200
        assert get(forged).status_code == 401


def test_an_issuer_without_a_type_is_accepted_if_the_site_says_so(issuer: FakeIssuer, settings: Any, get: Get) -> None:
    plain = issuer.token(RESOURCE, header={"typ": "JWT"})

    assert get(plain).status_code == 401
    accept(settings, issuer, token_type="JWT")
    assert get(plain).status_code == 200
    assert get(issuer.token(RESOURCE, header={"typ": None})).status_code == 401
    accept(settings, issuer, token_type="")
    assert get(issuer.token(RESOURCE, header={"typ": None})).status_code == 200


def test_an_issuer_with_audiences_and_scopes_of_its_own(issuer: FakeIssuer, settings: Any, get: Get) -> None:
    accept(settings, issuer, audience=["api://notes"], scope_claim="scp")

    answer = get(issuer.token("api://notes", scope=None, scp=["notes:read"]))

    assert answer.status_code == 200
    assert answer.json()["scopes"] == ["notes:read"]


def test_the_algorithms_of_an_issuer_are_those_that_the_site_says(issuer: FakeIssuer, settings: Any, get: Get) -> None:
    accept(settings, issuer, algorithms=["RS256"])

    assert get(issuer.token(RESOURCE)).status_code == 401
    issuer.rotate(RSAKey.generate_key(2048), "RS256")
    assert get(issuer.token(RESOURCE)).status_code == 200


UNUSABLE: dict[str, dict[str, Any]] = {
    "for encryption": {"use": "enc"},
    "not to verify": {"use": None, "key_ops": ["sign"]},
    "for another algorithm": {"alg": "ES384"},
    "on another curve": {"crv": "P-521"},
    "not on the curve": {"x": "AAAA"},
    "without a coordinate": {"y": None},
    "of another type": {"kty": "RSA"},
    "symmetric": {"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"},
    "with an id that is a number": {"kid": 1},
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_key_that_is_not_for_this_is_not_used(case: str, issuer: FakeIssuer, get: Get) -> None:
    document = issuer.document(JWKS)
    assert document is not None
    key = {name: value for name, value in {**document["keys"][0], **UNUSABLE[case]}.items() if value is not None}
    other = {**document["keys"][0], "kid": "other", "alg": "ES256"}
    issuer.answers[JWKS] = reply({"keys": [7, "x", {}, key, other]})

    assert get(issuer.token(RESOURCE)).status_code == 401
    assert get(issuer.token(RESOURCE, header={"kid": "other"})).status_code == 200


def test_a_short_key_is_not_used(issuer: FakeIssuer, get: Get) -> None:
    with pytest.warns(SecurityWarning):
        issuer.rotate(RSAKey.generate_key(1024), "RS256")

    assert get(issuer.token(RESOURCE)).status_code == 503


def test_a_key_with_a_long_exponent_is_not_used(issuer: FakeIssuer, get: Get) -> None:
    issuer.rotate(RSAKey.generate_key(2048), "RS256")
    document = issuer.document(JWKS)
    assert document is not None
    document["keys"][0]["e"] = "AQAB" * 20
    issuer.answers[JWKS] = reply(document)

    assert get(issuer.token(RESOURCE)).status_code == 503
