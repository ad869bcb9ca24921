"""A client that registers itself, as the plan for dynamic registration of the conformance suite plays it."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.test import Client as Browser
from oauth2_provider.models import get_application_model
from relying_party import RelyingParty, metadata

from auth_core.oauth.testing.factories import REDIRECT_URI, Registered
from auth_core.oauth.testing.proofs import KeyHolder, SigningApplication
from registrations import Web, initial_token, send_metadata

#: Where the client publishes its keys and the list of its sector.
KEYS, SECTOR = "https://rp.example/keys", "https://rp.example/sector.json"


@dataclass
class DynamicParty:
    """A person, and the web of a client that is not registered yet.

    Args:
        person: Who signs in.
        web: What the client publishes.
        holder: The holder of its key.
    """

    person: Any
    web: Web
    holder: KeyHolder = field(default_factory=lambda: KeyHolder("RS256"))

    def send(self, **members: Any) -> Any:
        """Send the registration to the address that discovery names, and return the response."""
        usual = {"client_name": "Conformance", "redirect_uris": [REDIRECT_URI], "response_types": ["code"]}
        address = urlsplit(metadata()["registration_endpoint"]).path
        return send_metadata("post", address, initial_token(), {**usual, **members})

    def register(self, *, unread: dict[str, Any] | None = None, **members: Any) -> RelyingParty:
        """Register the client. Check the answer, and return it with a browser without a session.

        Args:
            unread: Members that the service may leave out.
        """
        answer = self.send(**members, **(unread or {}))
        assert answer.status_code == 201, answer.content
        body = answer.json()
        assert {name: body.get(name) for name in members} == members
        assert body["registration_client_uri"].startswith(f"{metadata()['issuer']}/")
        assert body["registration_access_token"]
        method = body["token_endpoint_auth_method"]
        assert ("client_secret" in body) is method.startswith("client_secret")
        row = get_application_model().objects.get(client_id=body["client_id"])
        made = (
            SigningApplication(row=row, secret="", holder=self.holder)
            if method == "private_key_jwt"
            else Registered(row=row, secret=body["client_secret"])
        )
        return RelyingParty(made, self.person, Browser(), "query", auth=method, redirect_uri=body["redirect_uris"][0])

    def register_with_key(self, **members: Any) -> RelyingParty:
        """Register the client, which authenticates with the key that it publishes."""
        self.publish_keys()
        return self.register(token_endpoint_auth_method="private_key_jwt", jwks_uri=KEYS, **members)

    def publish_keys(self) -> None:
        """Publish the key of the client, and no other."""
        self.web.documents[KEYS] = self.holder.jwks.encode()


def registration_error(response: Any) -> str:
    """Return the error of a refused registration."""
    assert response.status_code == 400, response.content
    assert response.headers["Content-Type"].startswith("application/json")
    return str(response.json()["error"])
