"""Identity providers on this machine, over real HTTP, for tests. They answer as documented until a test changes that.

The site under test has to allow their address: ``AUTH_CORE = {"OUTBOUND_ALLOWED_NETWORKS": ["127.0.0.0/8"]}``. A test
changes `person`, `claims`, `header`, `metadata`, `redirected` or `answers` for a wrong answer, and takes `options()` as the
entry in ``PROVIDERS``.
"""

import base64
import hashlib
import hmac
import html
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, TypeVar
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from django.utils import timezone
from joserfc.jwk import ECKey, Key, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.jwt import decode, encode

from auth_core.oauth_resource.testing.issuer import reply

JWKS, AUTHORIZE, TOKEN, USERINFO = "/jwks", "/authorize", "/token", "/userinfo"
METADATA = "/.well-known/openid-configuration"

CLIENT_ID, CLIENT_SECRET = "this-site", "a-secret-of-this-site-that-is-long-enough"

_LIFETIME = 600

P = TypeVar("P", bound="FakeProvider")


@dataclass(frozen=True, slots=True)
class Issued:
    """A code that waits to be exchanged: the request that it answers."""

    parameters: Mapping[str, str]


class FakeProvider:
    """An OpenID Connect provider whose metadata says where everything is."""

    #: The short name of its kind.
    kind: ClassVar[str] = "openid"
    #: The path of its issuer.
    path: ClassVar[str] = ""
    #: How a site may authenticate: in the header, or in the body.
    reads_header: ClassVar[bool] = True
    algorithm: ClassVar[str] = "ES256"

    def __init__(self) -> None:
        self.requests: list[str] = []
        #: What it does at a path instead of its own answer.
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        #: The person who signs in there, as claims.
        self.person: dict[str, Any] = {
            "sub": "248289761001", "email": "alice@example.org", "email_verified": True, "name": "Alice"
        }  # fmt: skip
        #: Claims of ID tokens, members of their header, members of the metadata, and parameters of the answer that differ.
        #: One that is ``None`` is left out.
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.redirected: dict[str, str | None] = {}
        #: What signs instead of its own key. Bytes are a secret.
        self.signing_key: Key | bytes | None = None
        self.codes: dict[str, Issued] = {}
        self.access_tokens: set[str] = set()
        #: Parameters of the last authorization request, and the last form at the token endpoint.
        self.asked: dict[str, str] = {}
        self.exchanged: dict[str, str] = {}
        self.stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.rotate()

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port and release all who wait."""
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def issuer(self) -> str:
        """Its issuer."""
        return f"{self.origin}{self.path}"

    def options(self, **options: Any) -> dict[str, Any]:
        """Return its entry in ``PROVIDERS``, with the *options* that differ."""
        own = {"kind": self.kind, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "issuer": self.issuer}
        return {**own, "trusted_domains": ["example.org"], **options}

    def rotate(self) -> None:
        """Sign with a new key, and publish only that one."""
        self.kid = secrets.token_hex(4)
        self.key: Key = RSAKey.generate_key(2048) if self.algorithm == "RS256" else ECKey.generate_key("P-256")

    def count(self, path: str) -> int:
        """Return how often *path* was asked for."""
        return self.requests.count(path)

    def public_key(self) -> dict[str, Any]:
        """Return the key that it publishes."""
        return {**self.key.as_dict(private=False), "kid": self.kid, "alg": self.algorithm, "use": "sig"}

    def document(self, path: str) -> Any:
        """Return what it answers to a GET of *path*. ``None``: nothing is there."""
        if path == f"{self.path}{METADATA}":
            return _without_none({
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.origin}{AUTHORIZE}",
                "token_endpoint": f"{self.origin}{TOKEN}",
                "userinfo_endpoint": f"{self.origin}{USERINFO}",
                "jwks_uri": f"{self.origin}{JWKS}",
                "id_token_signing_alg_values_supported": [self.algorithm],
                **self.metadata,
            })  # fmt: skip
        return {"keys": [self.public_key()]} if path == JWKS else None

    def authorize(self, parameters: Mapping[str, str]) -> str:
        """Return the address that a person who agrees is sent back to. The answer is in its query."""
        self.asked = dict(parameters)
        code = secrets.token_urlsafe(16)
        self.codes[code] = Issued(self.asked)
        answer = _without_none({"code": code, "state": parameters.get("state"), **self.redirected})
        return f"{parameters['redirect_uri']}?{urlencode(answer)}"

    def exchange(self, form: Mapping[str, str], header: str) -> tuple[int, dict[str, Any]]:
        """Return the answer at the token endpoint. A code works once, for its client, with its verifier."""
        self.exchanged = dict(form)
        issued = self.codes.pop(form.get("code", ""), None)
        if not self.is_client(form, header):
            return 401, {"error": "invalid_client"}
        if issued is None or not _is_proved(form.get("code_verifier", ""), issued.parameters):
            return 400, {"error": "invalid_grant"}
        if form.get("redirect_uri") != issued.parameters["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        return 200, self.tokens(issued)

    def is_client(self, form: Mapping[str, str], header: str) -> bool:
        """Return whether this site has authenticated."""
        if self.reads_header:
            text = base64.b64decode(header.removeprefix("Basic ")).decode() if header.startswith("Basic ") else ":"
            name, _colon, secret = text.partition(":")
            return (unquote_plus(name), unquote_plus(secret)) == (CLIENT_ID, CLIENT_SECRET)
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)

    def tokens(self, issued: Issued) -> dict[str, Any]:
        """Return the tokens for a code."""
        access_token = secrets.token_urlsafe(16)
        self.access_tokens.add(access_token)
        id_token = self.id_token(nonce=issued.parameters.get("nonce"), access_token=access_token)
        return {"access_token": access_token, "token_type": "Bearer", "expires_in": _LIFETIME, "id_token": id_token}

    def id_token(self, *, nonce: str | None, access_token: str) -> str:
        """Return an ID token for the person."""
        moment = int(timezone.now().timestamp())
        claims = _without_none({
            "iss": self.issuer, "aud": CLIENT_ID, "iat": moment, "exp": moment + _LIFETIME, "nonce": nonce,
            "at_hash": half_hash(access_token), **self.person, **self.claims,
        })  # fmt: skip
        header = _without_none({"alg": self.algorithm, "kid": self.kid, "typ": "JWT", **self.header})
        return signed(header, claims, self.signing_key or self.key)

    def is_token(self, header: str) -> bool:
        """Return whether the header has an access token of this provider."""
        return header.removeprefix("Bearer ") in self.access_tokens


class FakeGoogle(FakeProvider):
    """Google.

    Source: https://developers.google.com/identity/openid-connect/openid-connect#obtainuserinfo. It signs with RS256, and takes
    the secret in the body.
    """

    kind = "google"
    reads_header = False
    algorithm = "RS256"

    def __init__(self) -> None:
        super().__init__()
        self.person = {
            "sub": "10769150350006150715113082367", "email": "alice@gmail.com", "email_verified": True, "name": "Alice",
            "azp": CLIENT_ID, "hd": None,
        }  # fmt: skip

    def options(self, **options: Any) -> dict[str, Any]:
        """Return its entry. Addresses of gmail.com need no trusted domain."""
        return super().options(**{"trusted_domains": [], **options})


class FakeMicrosoft(FakeProvider):
    """One tenant of Microsoft Entra.

    Source: https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference. `sub` differs for each
    application, `oid` does not, and addresses are mutable.
    """

    kind = "microsoft"
    reads_header = False
    algorithm = "RS256"
    tenant: ClassVar[str] = "9122040d-6c67-4c5b-b112-36a304b66dad"
    path = f"/{tenant}/v2.0"

    def __init__(self) -> None:
        super().__init__()
        self.person = {
            "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
            "tid": self.tenant, "preferred_username": "alice@contoso.example", "email": "alice@example.org", "name": "Alice",
        }  # fmt: skip

    def options(self, **options: Any) -> dict[str, Any]:
        """Return its entry."""
        return super().options(**{"tenant": self.tenant, **options})


class FakeApple(FakeProvider):
    """Apple, which posts its answer from a page of its own, once with what the person typed as their name.

    Source: https://developer.apple.com/documentation/signinwithapplerestapi. `email_verified` is a boolean or a text. The secret
    is a token that the site signs.
    """

    kind = "apple"
    reads_header = False
    team_key: ClassVar[ECKey] = ECKey.generate_key("P-256")

    def __init__(self) -> None:
        super().__init__()
        self.person = {
            "sub": "001999.0f6c6d4f6b6f4d8c8d3c9c9d8d8d8d8d.1234", "email": "alice@example.org", "email_verified": "true",
            "nonce_supported": True,
        }  # fmt: skip

    def options(self, **options: Any) -> dict[str, Any]:
        """Return its entry."""
        key = self.team_key.as_pem(private=True).decode()
        own = {"client_secret": "", "team_id": "TEAM123456", "key_id": "KEY1234567", "private_key": key}
        return super().options(**{**own, **options})

    def is_client(self, form: Mapping[str, str], header: str) -> bool:
        """Return whether the secret is a token of the team."""
        claims = decode(form.get("client_secret", ""), self.team_key, algorithms=["ES256"]).claims
        return (claims["iss"], claims["sub"], form.get("client_id")) == ("TEAM123456", CLIENT_ID, CLIENT_ID)


class FakeGitHub(FakeProvider):
    """GitHub, which has no ID token. Errors come with the status 200.

    Source: https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps,
    https://docs.github.com/en/rest/users/users#get-the-authenticated-user,
    https://docs.github.com/en/rest/users/emails#list-email-addresses-for-the-authenticated-user
    """

    kind = "github"
    reads_header = False

    def __init__(self) -> None:
        super().__init__()
        self.person = {"id": 583231, "login": "octocat", "name": "Alice", "email": "whatever@typed.example"}
        self.emails: Any = [
            {"email": "alice@users.noreply.github.com", "verified": True, "primary": False, "visibility": None},
            {"email": "alice@example.org", "verified": True, "primary": True, "visibility": "private"},
        ]

    def options(self, **options: Any) -> dict[str, Any]:
        """Return its entry."""
        return super().options(**{"base_url": self.origin, "api_url": self.origin, "issuer": "", **options})

    def document(self, path: str) -> Any:
        """Return the profile or the addresses."""
        return {"/user": self.person, "/user/emails": self.emails}.get(path)

    def exchange(self, form: Mapping[str, str], header: str) -> tuple[int, dict[str, Any]]:
        """Return the answer at the token endpoint, with the words of GitHub."""
        status, members = super().exchange(form, header)
        words = {"invalid_grant": "bad_verification_code", "invalid_client": "incorrect_client_credentials"}
        return 200, members if status == 200 else {"error": words[members["error"]]}  # noqa: PLR2004 - OK

    def tokens(self, issued: Issued) -> dict[str, Any]:
        """Return an access token."""
        members = super().tokens(issued)
        return {"access_token": members["access_token"], "token_type": "bearer", "scope": "read:user,user:email"}


@contextmanager
def running(provider: P) -> Iterator[P]:
    """Run a provider for the time of a block."""
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: Key | bytes) -> str:
    """Return a token, also one that no provider should send: signed with a secret, or not signed at all."""
    if isinstance(key, bytes) or header["alg"] == "none":
        content = f"{_json(header)}.{_json(claims)}"
        mac = hmac.digest(key, content.encode(), "sha256") if isinstance(key, bytes) else b""
        return f"{content}.{_base64url(mac)}"
    registry = JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
    return encode(dict(header), dict(claims), key, registry=registry, default_type=None)


def half_hash(access_token: str) -> str:
    """Return `at_hash` of an access token (OpenID Connect Core section 3.1.3.6)."""
    return _base64url(hashlib.sha256(access_token.encode()).digest()[:16])


def _is_proved(verifier: str, parameters: Mapping[str, str]) -> bool:
    expected = _base64url(hashlib.sha256(verifier.encode()).digest())
    return parameters.get("code_challenge_method") == "S256" and parameters.get("code_challenge") == expected


def _json(members: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(members).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _send_back(address: str, parameters: Mapping[str, str]) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return the answer that takes a person back: a redirect, or a page that posts what is in the query of *address*."""
    if parameters.get("response_mode") != "form_post":
        return reply(b"", status=302, headers={"Location": address})
    target, _mark, query = address.partition("?")
    fields = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in parse_qsl(query)
    )
    page = (
        f'<body onload="document.forms[0].submit()"><form method="post" action="{html.escape(target)}">{fields}</form>'
    )
    return reply(page.encode(), headers={"Content-Type": "text/html"})


def _answer_get(provider: FakeProvider, handler: BaseHTTPRequestHandler, path: str) -> None:
    if path in provider.answers:
        provider.answers[path](handler)
    elif path in (AUTHORIZE, "/login/oauth/authorize"):
        parameters = dict(parse_qsl(urlsplit(handler.path).query))
        _send_back(provider.authorize(parameters), parameters)(handler)
    elif path.startswith("/user") and not provider.is_token(handler.headers.get("Authorization", "")):
        reply({"message": "Bad credentials"}, status=401)(handler)
    else:
        document = provider.document(path)
        reply({} if document is None else document, status=404 if document is None else 200)(handler)


def _handler(provider: FakeProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers for the provider."""

        def do_GET(self) -> None:
            _answer_get(provider, self, self._enter())

        def do_POST(self) -> None:
            path = self._enter()
            form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            if path in provider.answers:
                provider.answers[path](self)
                return
            status, members = provider.exchange(form, self.headers.get("Authorization", ""))
            reply(members, status=status)(self)

        def _enter(self) -> str:
            path = urlsplit(self.path).path
            provider.requests.append(path)
            return path

        def log_message(self, *args: Any) -> None:
            """Log nothing."""

    return Handler
