"""A client as the conformance suite plays it: each flow checks all that the client gets.

Source: OpenID Connect Core sections 3.1.2.5, 3.1.3.3, 3.1.3.6, 3.1.3.7 and 5.3.2, RFC 9207, OAuth 2.0 Form Post Response Mode.
"""

import base64
import hashlib
import html
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from django.test import Client as Browser
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import KeySet

from auth_core.oauth.keys.algorithms import Registry
from auth_core.oauth.testing.factories import REDIRECT_URI, VERIFIER, Registered, post_form
from auth_core.testing.factories import PASSWORD
from logouts import AFTER, is_signed_in
from people import NONCE, STATE, asked, decide, follow, log_in

DISCOVERY = "/.well-known/openid-configuration"


@dataclass
class Tokens:
    """What a client got for a code.

    Args:
        body: The answer of the token endpoint.
        claims: Those of the ID token, verified.
        person: The answer of userinfo.
    """

    body: dict[str, Any]
    claims: dict[str, Any]
    person: dict[str, Any]


@dataclass
class RelyingParty:
    """A client and the browser of a person.

    Args:
        person: Who signs in.
        mode: ``query`` or ``form_post``, how answers are wanted. The first is the default and is not sent.
        auth: How the client authenticates, as metadata names it.
        redirect_uri: Where its answers go.
    """

    application: Registered
    person: Any
    browser: Browser
    mode: str
    auth: str = "client_secret_basic"
    redirect_uri: str = REDIRECT_URI

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """Return an authorization request. ``None`` leaves a parameter out."""
        in_form = {"response_mode": "form_post"} if self.mode == "form_post" else {}
        return asked(self.application, **{"redirect_uri": self.redirect_uri, **in_form, **changes})

    def ask(self, **changes: Any) -> Any:
        """Send the browser to the authorization endpoint."""
        return self.browser.get("/oauth/authorize", self.parameters(**changes))

    def received(self, response: Any) -> dict[str, str]:
        """Return the answer that reaches the client, in the response mode that it asked for, with the state and the issuer."""
        answer = self._posted(response) if self.mode == "form_post" else self._redirected(response)
        assert answer["state"] == STATE
        assert answer["iss"] == metadata()["issuer"]
        assert set(answer) <= {"code", "state", "iss", "error", "error_description"}
        return answer

    def code(self, response: Any) -> str:
        """Return the code that reaches the client."""
        answer = self.received(response)
        assert "error" not in answer, answer
        return answer["code"]

    def error(self, response: Any) -> str:
        """Return the error that reaches the client."""
        answer = self.received(response)
        assert "code" not in answer
        return answer["error"]

    def signed_in(self, response: Any) -> Any:
        """Sign in on the page that *response* leads to, consent if asked, and return the last response."""
        page = follow(self.browser, log_in(self.browser, response, self.person))
        return decide(self.browser, page) if 'name="decision"' in page.content.decode() else page

    def proved_again(self, response: Any) -> Any:
        """Prove the password again on the page that *response* leads to, and return the last response."""
        address = response.headers["Location"]
        assert address.startswith("/login/again/?"), address
        begun = self.browser.post(address)
        assert begun.headers["Location"] == "/login/answer/", begun.content
        return follow(self.browser, self.browser.post("/login/answer/", {"password": PASSWORD}))

    def tokens(self, response: Any, *, nonce: str = NONCE) -> Tokens:
        """Exchange the code that *response* carries. Check the answer, the ID token and userinfo."""
        answer = self.exchange(self.code(response))
        assert answer.status_code == 200, answer.content
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.headers["Cache-Control"] == "no-store"
        body = answer.json()
        assert body["token_type"].lower() == "bearer"
        assert body["expires_in"] > 0
        claims = self.verified(body["id_token"], access_token=body["access_token"], nonce=nonce)
        person = userinfo(body["access_token"])
        assert person["sub"] == claims["sub"]
        return Tokens(body, claims, person)

    def flow(self, *, nonce: str | None = NONCE, **changes: Any) -> Tokens:
        """Run a whole flow that asks the person for nothing. ``None`` as the nonce leaves it out."""
        return self.tokens(self.ask(nonce=nonce, **changes), nonce=nonce or "")

    def exchange(self, code: str) -> Any:
        """Present a code at the token endpoint."""
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
        }
        return self.at_token_endpoint(body)

    def refresh(self, token: str) -> Any:
        """Present a refresh token at the token endpoint."""
        return self.at_token_endpoint({"grant_type": "refresh_token", "refresh_token": token})

    def at_token_endpoint(self, body: dict[str, str]) -> Any:
        """Send a form to the token endpoint, authenticated as the client does it."""
        client_id, secret = self.application.client_id, self.application.secret
        if self.auth == "private_key_jwt":
            return post_form("/oauth/token", {**body, **self.application.credentials()})
        if self.auth == "client_secret_post":
            return post_form("/oauth/token", {**body, "client_id": client_id, "client_secret": secret})
        pair = base64.b64encode(f"{quote(client_id)}:{quote(secret)}".encode()).decode()
        return post_form("/oauth/token", body, HTTP_AUTHORIZATION=f"Basic {pair}")

    def verified(self, id_token: str, *, access_token: str, nonce: str = NONCE) -> dict[str, Any]:
        """Return the claims of an ID token, verified by all rules for clients.

        Args:
            nonce: What the ID token must have. Empty: it must have none.
        """
        keys = KeySet.import_key_set(Browser().get(urlsplit(metadata()["jwks_uri"]).path).json())
        token = jwt.decode(id_token, keys, registry=Registry(algorithms=["RS256"]))
        claims: dict[str, Any] = token.claims
        now = timezone.now().timestamp()
        assert token.header["kid"] in {key.kid for key in keys.keys}
        assert claims["iss"] == metadata()["issuer"]
        assert claims["aud"] in (self.application.client_id, [self.application.client_id])
        assert now < claims["exp"]
        assert now - 60 < claims["iat"] <= now
        assert 0 < len(claims["sub"]) <= 255
        assert claims.get("nonce", "") == nonce
        assert claims["at_hash"] == half_hash(access_token)
        assert claims["auth_time"] <= claims["iat"]
        return claims

    def check_signed_out(self, response: Any) -> None:
        """Check that *response* leads to the page that says so, and that the session has ended."""
        assert response.headers["Location"] == "/logged-out/"
        assert b"signed out" in self.browser.get(response.headers["Location"]).content
        self.check_session_ended()

    def check_session_ended(self) -> None:
        """Check by another request, with prompt=none, that the session has ended."""
        assert not is_signed_in(self.browser)
        assert self.error(self.ask(prompt="none")) == "login_required"

    def check_stays_here(self, response: Any) -> None:
        """Check that *response* is a page with an error, and that the session goes on."""
        assert response.status_code == 400
        assert "Location" not in response.headers
        assert AFTER not in response.content.decode()
        assert is_signed_in(self.browser)

    def _redirected(self, response: Any) -> dict[str, str]:
        if response.status_code == 303:
            address = response.headers["Location"]
        else:
            assert response.status_code == 200, response.content
            (text,) = re.findall(r'http-equiv="refresh" content="0;url=([^"]*)"', response.content.decode())
            address = html.unescape(text)
        begin = f"{self.redirect_uri}{'&' if '?' in self.redirect_uri else '?'}"
        assert address.startswith(begin), address
        pairs = parse_qsl(address.removeprefix(begin), strict_parsing=True)
        assert len(pairs) == len(dict(pairs))
        return dict(pairs)

    def _posted(self, response: Any) -> dict[str, str]:
        assert response.status_code == 200, response.content
        text = response.content.decode()
        assert f'<form method="post" action="{self.redirect_uri}"' in text, text
        assert ".submit()" in text
        assert "http-equiv" not in text
        return {name: html.unescape(value) for name, value in re.findall(r'name="([^"]*)" value="([^"]*)"', text)}


def metadata() -> dict[str, Any]:
    """Return the discovery document."""
    body: dict[str, Any] = Browser().get(DISCOVERY).json()
    return body


def userinfo(token: str) -> dict[str, Any]:
    """Return what userinfo answers to a GET with *token*."""
    response = Browser().get("/oauth/userinfo", HTTP_AUTHORIZATION=f"Bearer {token}")
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"].startswith("application/json")
    body: dict[str, Any] = response.json()
    return body


def half_hash(text: str) -> str:
    """Return ``at_hash`` of an access token, for an ID token signed with RS256."""
    return base64url(hashlib.sha256(text.encode()).digest()[:16])


def unsigned(token: str) -> str:
    """Return *token* with the algorithm ``none`` and without a signature."""
    return f"{base64url(json.dumps({'alg': 'none'}).encode())}.{token.split('.')[1]}."


def base64url(content: bytes) -> str:
    """Return *content* in base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the claims of a token, unverified."""
    padded = [f"{part}{'=' * (-len(part) % 4)}" for part in token.split(".")[:2]]
    header, claims = (json.loads(base64.urlsafe_b64decode(part)) for part in padded)
    return header, claims
