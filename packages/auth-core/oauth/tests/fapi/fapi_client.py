"""A client as the plan plays it: with a key that authenticates it, and a key for its proofs.

Source: FAPI 2.0 Security Profile, RFC 9126, RFC 9449, RFC 9207.
"""

from dataclasses import dataclass, field
from typing import Any

from django.test import Client as Browser

from auth_core.oauth.testing.factories import VERIFIER, post_form
from auth_core.oauth.testing.proofs import KeyHolder, SigningApplication, present
from people import STATE, answer_in, asked

ISSUER = "https://auth.example.org"


@dataclass
class FapiClient:
    """A client, and the browser that it sends to the provider.

    Args:
        key: The key of its proofs.
    """

    application: SigningApplication
    browser: Browser
    key: KeyHolder = field(default_factory=KeyHolder)

    def push(self, *, proof: str = "", **changes: Any) -> Any:
        """Push a request, and return the answer."""
        return self.application.post("/oauth/par", proof=proof, **asked(self.application, **changes))

    def name(self, **changes: Any) -> str:
        """Push a request, and return its name."""
        response = self.push(**changes)
        assert response.status_code == 201, response.content
        assert response.json()["expires_in"] < 600
        return str(response.json()["request_uri"])

    def visit(self, name: str, **outside: Any) -> Any:
        """Send the browser to the authorization endpoint with the name of a request."""
        return self.browser.get(
            "/oauth/authorize", {"client_id": self.application.client_id, "request_uri": name, **outside}
        )

    def code(self, *, state: str | None = STATE, **changes: Any) -> str:
        """Return the code for a request. The answer has the state and the issuer."""
        answer = answer_in(self.visit(self.name(state=state, **changes)))
        assert answer.get("state") == state
        assert answer["iss"] == ISSUER
        return answer["code"]

    def redeem(self, code: str, *, key: KeyHolder | None = None, proof: str | None = None, **changes: Any) -> Any:
        """Send *code* to the token endpoint, and return the answer. An empty *proof* sends none."""
        fields = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, **changes}
        sent = {name: value for name, value in fields.items() if value is not None}
        made = (key or self.key).proof() if proof is None else proof
        return self.application.post("/oauth/token", proof=made, **sent)

    def tokens(self, **changes: Any) -> dict[str, Any]:
        """Return the tokens for a request."""
        response = self.redeem(self.code(**changes))
        assert response.status_code == 200, response.content
        body: dict[str, Any] = response.json()
        assert body["token_type"] == "DPoP"
        return body

    def read(self, token: str, *, scheme: str = "DPoP", **changes: Any) -> Any:
        """Return the answer of the resource to *token*. *changes* are those of the proof."""
        changes = {"access_token": token, **changes}
        return present(token, self.key.proof("GET", "/oauth/userinfo", **changes), scheme=scheme)

    def asserted(self, path: str, body: dict[str, Any], **changes: Any) -> Any:
        """Post *body* with an assertion in which *changes* are made."""
        credentials = {**self.application.credentials(), "client_assertion": self.application.assertion(**changes)}
        return post_form(path, {**body, **credentials})


def error_of(response: Any) -> str:
    """Return the error of an answer in JSON."""
    assert response.status_code in (400, 401), response.content
    return str(response.json()["error"])
