"""Clients with keys of their own, for tests: DPoP proofs and assertions, right ones and any wrong ones."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.test import Client as Browser
from django.utils import timezone

from auth_core.oauth.conf import oauth
from auth_core.oauth.proofs.assertions import ASSERTION_TYPE
from auth_core.oauth.testing.factories import Registered, make_application
from auth_core.oauth_resource.testing import holder


@dataclass
class KeyHolder(holder.KeyHolder):
    """The holder of a private key who calls the provider."""

    def proof(self, method: str = "POST", path: str = "/oauth/token", **changes: Any) -> str:
        """Return a DPoP proof for *path* of the provider. The other arguments are those of `proof_for`."""
        return self.proof_for(method, f"{oauth.issuer}{path}", **changes)


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
