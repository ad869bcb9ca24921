"""An issuer on this machine, over real HTTP, for the tests of a resource server. It answers rightly until a test changes that.

The site under test has to allow its address: ``AUTH_CORE = {"OUTBOUND_ALLOWED_NETWORKS": ["127.0.0.0/8"]}``.
"""

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from django.utils import timezone
from joserfc.jwk import ECKey, Key
from joserfc.jws import serialize_compact

from auth_core.oauth_resource.tokens.algorithms import Registry

JWKS, INTROSPECTION = "/jwks", "/introspect"
METADATA = "/.well-known/oauth-authorization-server"
OPENID_METADATA = "/.well-known/openid-configuration"

_LIFETIME = 600


class FakeIssuer:
    """An issuer of access tokens.

    Args:
        port: Where it listens. 0: at a free port.
        path: Path of the issuer, such as ``/tenant``.
    """

    def __init__(self, *, port: int = 0, path: str = "") -> None:
        self.requests: list[str] = []
        #: What it does at a path instead of its own answer.
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        #: What introspection says about a token, and the ``Authorization`` headers that it was asked with.
        self.introspected: dict[str, dict[str, Any]] = {}
        self.credentials: list[str] = []
        self.keys: list[tuple[str, Key, str]] = []
        self.jwks_headers = {"Cache-Control": "max-age=3600"}
        self.stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.origin}{path}"
        self._path = path
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

    def rotate(self, key: Key | None = None, algorithm: str = "ES256") -> None:
        """Sign with a new key, and publish only that one."""
        self.keys = [(secrets.token_hex(4), key or ECKey.generate_key("P-256"), algorithm)]

    def count(self, path: str) -> int:
        """Return how often *path* was asked for."""
        return self.requests.count(path)

    def claims(self, resource: str, **claims: Any) -> dict[str, Any]:
        """Return the claims of a token for *resource*. One that is ``None`` is left out."""
        moment = int(timezone.now().timestamp())
        usual = {
            "iss": self.url, "sub": "alice", "aud": resource, "client_id": "app", "iat": moment, "exp": moment + _LIFETIME,
            "jti": secrets.token_hex(8), "scope": "notes:read",
        }  # fmt: skip
        return {name: value for name, value in {**usual, **claims}.items() if value is not None}

    def token(
        self, resource: str, *, header: dict[str, Any] | None = None, key: Key | None = None, **claims: Any
    ) -> str:
        """Return a token for *resource*.

        Args:
            header: Members of its header that differ. One that is ``None`` is left out.
            key: What signs it instead of the key of the issuer.
            claims: Claims that differ.
        """
        kid, own, algorithm = self.keys[0]
        usual = {"alg": algorithm, "kid": kid, "typ": "at+jwt", **(header or {})}
        members = {name: value for name, value in usual.items() if value is not None}
        registry = Registry(algorithms=[str(members["alg"])], strict_check_header=False)
        # ASCII with escapes, so that a text may have half of a surrogate pair.
        payload = json.dumps(self.claims(resource, **claims))
        return serialize_compact(members, payload, key or own, registry=registry)

    def document(self, path: str) -> dict[str, Any] | None:
        """Return what it answers at *path* by itself. ``None``: nothing is there."""
        if path == JWKS:
            public = [(kid, key.as_dict(private=False), alg) for kid, key, alg in self.keys]
            return {"keys": [{**members, "kid": kid, "alg": alg, "use": "sig"} for kid, members, alg in public]}
        if path in (f"{METADATA}{self._path}", f"{self._path}{OPENID_METADATA}"):
            introspection = f"{self.origin}{INTROSPECTION}"
            return {"issuer": self.url, "jwks_uri": f"{self.origin}{JWKS}", "introspection_endpoint": introspection}
        return None


@contextmanager
def fake_issuer(*, port: int = 0, path: str = "") -> Iterator[FakeIssuer]:
    """Run an issuer for the time of a block."""
    issuer = FakeIssuer(port=port, path=path)
    issuer.start()
    try:
        yield issuer
    finally:
        issuer.stop()


def reply(
    body: Any, *, status: int = 200, headers: dict[str, str] | None = None
) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return an answer for `FakeIssuer.answers`.

    Args:
        body: Bytes as they are, or what is sent as JSON.
    """

    def answer(handler: BaseHTTPRequestHandler) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Announce a gigabyte, and send it until the other side hangs up."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(2**30))
    handler.end_headers()
    try:
        for _ in range(2**14):
            handler.wfile.write(b" " * 2**16)
    except OSError:
        handler.close_connection = True


def _handler(issuer: FakeIssuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers for the issuer."""

        def do_GET(self) -> None:
            self._answer(issuer.document(self.path))

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            issuer.credentials.append(self.headers.get("Authorization", ""))
            members = issuer.introspected.get(form["token"][0], {"active": False})
            self._answer(members if self.path == INTROSPECTION else None)

        def _answer(self, document: dict[str, Any] | None) -> None:
            issuer.requests.append(self.path)
            headers = issuer.jwks_headers if self.path == JWKS else {}
            usual = reply({}, status=404) if document is None else reply(document, headers=headers)
            issuer.answers.get(self.path, usual)(self)

        def log_message(self, *args: Any) -> None:
            """Log nothing."""

    return Handler
