"""Clients that register themselves, and the documents that they publish."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.test import Client as Browser

from auth_core.oauth.dynamic.initial_tokens import issue_initial_token
from auth_core.oauth.testing.factories import REDIRECT_URI
from auth_core.runtime.http_client import Answer, OutboundFailed

ADDRESS = "/oauth/register"


@dataclass
class Web:
    """Documents at addresses, in place of the HTTP client."""

    documents: dict[str, Any] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def fetch(self, url: str, **options: Any) -> Answer:
        """Answer as the HTTP client does."""
        self.requests.append(url)
        if url not in self.documents:
            raise OutboundFailed("nobody answers")
        found = self.documents[url]
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        return Answer(200, {}, body)


def initial_token(
    *, uses: int = 1, scopes: tuple[str, ...] = (), types: tuple[str, ...] = (), lifetime: timedelta = timedelta(days=1)
) -> str:
    """Issue an initial access token, and return it."""
    return issue_initial_token(
        name="Partner", uses=uses, scopes=scopes, authorization_details_types=types, lifetime=lifetime
    ).token


def send_metadata(method: str, address: str, token: str | None, body: Any = None, **headers: Any) -> Any:
    """Send *body* as JSON, or bytes as they are."""
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    authorization = {} if token is None else {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    options = {"content_type": "application/json", **authorization, **headers}
    data = {} if body is None or method == "get" else {"data": content}
    return getattr(Browser(), method)(address, **data, **options)


def register(token: str | None = None, *, uris: Any = (REDIRECT_URI,), **members: Any) -> Any:
    """Register a client, and return the response. ``None`` leaves a member out."""
    usual = {"client_name": "Partner", "token_endpoint_auth_method": "client_secret_post"}
    metadata = {"redirect_uris": list(uris), **usual, **members}
    present = {name: value for name, value in metadata.items() if value is not None}
    return send_metadata("post", ADDRESS, initial_token() if token is None else token, present)


def registered(token: str | None = None, **members: Any) -> dict[str, Any]:
    """Register a client, and return what it got."""
    answer = register(token, **members)
    assert answer.status_code == 201, answer.content
    body: dict[str, Any] = answer.json()
    return body


def manage(method: str, client: dict[str, Any], body: Any = None, *, token: str | None = None) -> Any:
    """Read, replace or remove the registration of *client*."""
    path = urlsplit(client["registration_client_uri"]).path
    return send_metadata(method, path, token or client["registration_access_token"], body)


def update_of(client: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return the whole metadata of *client* for an update. ``None`` leaves a member out."""
    ours = ("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at")
    whole = {**{name: value for name, value in client.items() if name not in ours}, **members}
    return {name: value for name, value in whole.items() if value is not None}
