"""Holders of private keys, for tests: DPoP proofs, right ones and any wrong ones."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.utils import timezone
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import serialize_compact

from auth_core.oauth_resource.proofs.dpop import TYPE, hash_of
from auth_core.oauth_resource.proofs.nonces import current_nonce
from auth_core.oauth_resource.tokens.algorithms import Registry


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
        whole = present({"alg": self.algorithm, **header})
        registry = _Registry(algorithms=[whole["alg"]], strict_check_header=False)
        # ASCII with escapes, so that a text may have half of a surrogate pair.
        return serialize_compact(whole, json.dumps(present(claims)), self.key, registry=registry)

    def proof_for(
        self,
        method: str,
        address: str,
        *,
        access_token: str = "",
        header: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """Return a DPoP proof with a current nonce. *header* and *changes* replace members, and ``None`` leaves one out."""
        claims = {
            "jti": str(uuid4()),
            "htm": method,
            "htu": address,
            "iat": int(timezone.now().timestamp()),
            "nonce": current_nonce(),
            "ath": hash_of(access_token) if access_token else None,
        }
        return self.sign({**claims, **changes}, {"typ": TYPE, "jwk": self.jwk, **(header or {})})


def _new_key(algorithm: str) -> Key:
    if algorithm in ("PS256", "RS256"):
        return RSAKey.generate_key(2048)
    return ECKey.generate_key("P-256") if algorithm == "ES256" else OKPKey.generate_key("Ed25519")


def present(values: dict[str, Any]) -> dict[str, Any]:
    """Return the members that are not ``None``."""
    return {name: value for name, value in values.items() if value is not None}
