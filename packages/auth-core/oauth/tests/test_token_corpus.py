"""Forged and misused tokens are refused wherever a token is read."""

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey
from joserfc.jws import extract_compact

from auth_core.oauth.keys.key_set import key_set
from auth_core.oauth.models import Authorization
from auth_core.oauth.testing.factories import Registered, introspect, make_tokens, userinfo

pytestmark = pytest.mark.django_db


def encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    extracted = extract_compact(token.encode())
    return dict(extracted.protected), json.loads(extracted.payload)


def compact(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """Return a token with any header. joserfc refuses to write most of these."""
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}.{base64.urlsafe_b64encode(sign(text.encode())).rstrip(b'=').decode()}"


def es256(key: Any) -> Callable[[bytes], bytes]:
    def sign(text: bytes) -> bytes:
        r, s = decode_dss_signature(key.private_key.sign(text, ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return sign


def signed(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Sign with our own key, as no attacker can: what is wrong is the header or a claim alone."""
    key = key_set().signer("ES256")
    return compact({"alg": "ES256", "kid": key.kid, **header}, claims, es256(key.key))


def unsigned(name: str) -> Callable[[str], str]:
    def forge(token: str) -> str:
        header, claims = parts(token)
        return f"{encoded({**header, 'alg': name})}.{encoded(claims)}."

    return forge


def under_the_public_key(token: str) -> str:
    header, claims = parts(token)
    public = key_set().signer("ES256").key.as_pem(private=False)
    return compact({**header, "alg": "HS256"}, claims, lambda text: hmac.new(public, text, "sha256").digest())


def under_an_embedded_key(token: str) -> str:
    own = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "typ": "at+jwt", "jwk": own.as_dict(private=False)}
    return compact(header, parts(token)[1], es256(own))


def under_a_foreign_key(token: str) -> str:
    return compact(*parts(token), es256(ECKey.generate_key("P-256")))


def changed(**values: Any) -> Callable[[str], str]:
    def forge(token: str) -> str:
        header, claims = parts(token)
        return f"{encoded(header)}.{encoded({**claims, **values})}.{token.rpartition('.')[2]}"

    return forge


def resigned(header: dict[str, Any], **values: Any) -> Callable[[str], str]:
    return lambda token: signed({"typ": "at+jwt", **header}, {**parts(token)[1], **values})


FORGERIES: dict[str, Callable[[str], str]] = {
    "none": unsigned("none"),
    "None": unsigned("None"),
    "NONE": unsigned("NONE"),
    "nOnE": unsigned("nOnE"),
    "no algorithm": unsigned(""),
    "HS256 under the public key": under_the_public_key,
    "an embedded key": under_an_embedded_key,
    "a foreign key": under_a_foreign_key,
    "another subject": changed(sub="another"),
    "a later expiry": changed(exp=9_999_999_999),
    "no type": lambda token: signed({}, parts(token)[1]),
    "type JWT": resigned({"typ": "JWT"}),
    "type logout+jwt": resigned({"typ": "logout+jwt"}),
    "an unknown critical header": resigned({"crit": ["exp"]}),
    "an embedded key beside ours": resigned({"jwk": {"kty": "oct", "k": "AA"}}),
    "an address of keys": resigned({"jku": "https://evil.example/jwks.json"}),
    "a path as key id": resigned({"kid": "../../etc/passwd"}),
    "a number as key id": resigned({"kid": 7}),
    "expired": resigned({}, exp=1_000_000_000),
    "an expiry in text": resigned({}, exp="never"),
    "an expiry that is true": resigned({}, exp=True),
    "no expiry": lambda token: signed(
        {"typ": "at+jwt"}, {name: value for name, value in parts(token)[1].items() if name != "exp"}
    ),
    "another issuer": resigned({}, iss="https://evil.example"),
    "a truncated signature": lambda token: token[:-8],
    "an empty signature": lambda token: token.rpartition(".")[0] + ".",
    "an extended token": lambda token: token + "A",
    "four parts": lambda token: token + ".A",
    "two parts": lambda token: token.rpartition(".")[0],
    "10 MB": lambda token: f"{'A' * 10_000_000}.{token}",
    "outside of ASCII": lambda token: token[:-1] + "\u00e9",
    "empty": lambda token: "",
    "three dots": lambda token: "..",
    "not JSON": lambda token: f"{base64.urlsafe_b64encode(b'[').decode().rstrip('=')}.e30.AA",
}


@pytest.mark.asvs("9.1.1")
@pytest.mark.asvs("9.1.2")
@pytest.mark.asvs("9.1.3")
@pytest.mark.asvs("9.2.1")
@pytest.mark.asvs("9.2.2")
@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=list(FORGERIES))
def test_a_forged_token_is_refused(forgery: Callable[[str], str], web: Registered, alice: Any, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    good = make_tokens(web, alice)["access_token"]
    forged = forgery(good)

    assert introspect(web, forged).get("active", False) is False
    assert userinfo(forged.encode().decode("latin-1") if forged else "").status_code == 401
    assert userinfo(good).status_code == 200, "the genuine token stopped working"


def test_a_token_that_is_signed_like_the_forgeries_and_has_no_fault_is_accepted(web: Registered, alice: Any) -> None:
    good = make_tokens(web, alice)["access_token"]

    assert introspect(web, resigned({})(good))["active"], "the corpus would be refused for another reason"


def test_an_id_token_is_no_access_token(web: Registered, alice: Any) -> None:
    body = make_tokens(web, alice)

    assert introspect(web, body["id_token"]) == {"active": False}
    assert userinfo(body["id_token"]).status_code == 401
    assert userinfo(body["refresh_token"]).status_code == 401


def test_a_token_of_a_deleted_authorization_is_refused(web: Registered, alice: Any) -> None:
    token = make_tokens(web, alice)["access_token"]
    Authorization.objects.all().delete()

    assert introspect(web, token) == {"active": False}
    assert userinfo(token).status_code == 401
