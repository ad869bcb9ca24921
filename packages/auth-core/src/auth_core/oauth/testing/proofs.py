"""Clients with keys of their own, for tests: DPoP proofs and assertions, right ones and any wrong ones."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.test import Client as Browser
from django.utils import timezone
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jwt import encode

from auth_core.oauth.conf import oauth
from auth_core.oauth.keys.algorithms import Registry
from auth_core.oauth.proofs.assertions import ASSERTION_TYPE
from auth_core.oauth.proofs.dpop import TYPE, hash_of
from auth_core.oauth.proofs.nonces import current_nonce
from auth_core.oauth.testing.factories import Registered, make_application


class _Registry(Registry):
    """Writes any header, also one that no client should write."""

    max_header_length = 4096

    def check_header(self, header: Any) -> None:
        """Accept it."""


@dataclass
class KeyHolder:
    """The holder of a private key.

    Args:
        algorithm: What it signs with.
        key: The key. None: a new one.
    """

    algorithm: str = "ES256"
    key: Any = None

    def __post_init__(self) -> None:
        if self.key is None:
            self.key = _new_key(self.algorithm)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key."""
        public: dict[str, Any] = self.key.as_dict(private=False)
        return public

    @property
    def jwks(self) -> str:
        """The key set, as JSON."""
        return json.dumps({"keys": [{**self.jwk, "use": "sig", "alg": self.algorithm, "kid": self.thumbprint}]})

    @property
    def thumbprint(self) -> str:
        """Of the key."""
        return str(self.key.thumbprint())

    def sign(self, claims: dict[str, Any], header: dict[str, Any]) -> str:
        """Return *claims* as a signed token. What is ``None`` is left out."""
        whole = _present({"alg": self.algorithm, **header})
        registry = _Registry(algorithms=[whole["alg"]], strict_check_header=False)
        return encode(whole, _present(claims), self.key, registry=registry, default_type=None)

    def proof(
        self,
        method: str = "POST",
        path: str = "/oauth/token",
        *,
        access_token: str = "",
        header: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """Return a DPoP proof with a current nonce. *header* and *changes* replace members, and ``None`` leaves one out."""
        claims = {
            "jti": str(uuid4()),
            "htm": method,
            "htu": f"{oauth.issuer}{path}",
            "iat": int(timezone.now().timestamp()),
            "nonce": current_nonce(),
            "ath": hash_of(access_token) if access_token else None,
        }
        return self.sign({**claims, **changes}, {"typ": TYPE, "jwk": self.jwk, **(header or {})})


@dataclass
class SigningApplication(Registered):
    """An application that authenticates with a private key.

    Args:
        holder: The holder of the key.
    """

    holder: KeyHolder = field(default_factory=KeyHolder)

    def assertion(self, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """Return a client assertion. *header* and *changes* replace members, and ``None`` leaves one out."""
        moment = int(timezone.now().timestamp())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": oauth.issuer,
            "jti": str(uuid4()),
            "iat": moment,
            "exp": moment + 60,
        }
        return self.holder.sign({**claims, **changes}, {"kid": self.holder.thumbprint, **(header or {})})

    def credentials(self) -> dict[str, str]:
        """Return what authenticates a request, new for each."""
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion()}


def make_signing_application(*, holder: KeyHolder | None = None, **columns: Any) -> SigningApplication:
    """Create an application with a private key. *columns* are those of `make_application`."""
    holder = holder or KeyHolder()
    made = make_application(**{"auth_method": "private_key_jwt", "jwks": holder.jwks, **columns})
    return SigningApplication(row=made.row, secret="", holder=holder)


def present(token: str, proof: str, browser: Browser | None = None, *, scheme: str = "DPoP") -> Any:
    """Return the response of userinfo to *token* with *proof*."""
    return (browser or Browser()).get("/oauth/userinfo", HTTP_AUTHORIZATION=f"{scheme} {token}", HTTP_DPOP=proof)


def push(application: Registered, browser: Browser | None = None, **parameters: Any) -> Any:
    """Push an authorization request, and return the response."""
    return application.post("/oauth/par", browser, **parameters)


def _new_key(algorithm: str) -> Key:
    if algorithm in ("PS256", "RS256"):
        return RSAKey.generate_key(2048)
    return ECKey.generate_key("P-256") if algorithm == "ES256" else OKPKey.generate_key("Ed25519")


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
