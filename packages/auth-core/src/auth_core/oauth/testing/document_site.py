"""A site with documents about clients, on a port of this machine with TLS. It answers as each test says."""

import json
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

HOST = "localhost"

#: What a client calls itself, and where answers to it go.
NAME, CALLBACK = "Agent", "https://client.example/callback"

Respond = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class DocumentSite:
    """The site, for the time of a ``with`` block.

    Args:
        certificate: A file with its key and its certificate, in PEM.
        visits: The paths that were asked for, in order.
        sent: How many bytes of an endless answer went out.
        is_over: Set at the end. An answer that never comes waits for it.
    """

    certificate: Path
    visits: list[str] = field(default_factory=list)
    sent: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)
    _answers: dict[str, Respond] = field(default_factory=dict)

    def __enter__(self) -> Self:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.visits.append(self.path)
                with suppress(OSError):
                    site._answers[self.path](self)

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *arguments: None  # type: ignore[method-assign]  # a caller that leaves is no error
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.is_over.set()
        self._server.shutdown()
        self._server.server_close()

    def clear(self) -> None:
        """Forget all answers and visits."""
        self._answers.clear()
        self.visits.clear()
        self.sent = 0

    def url(self, path: str = "/client.json") -> str:
        """Return the address of *path*, which is the client id of its document."""
        return f"https://{HOST}:{self._server.server_port}{path}"

    def members(self, path: str = "/client.json", **changes: Any) -> dict[str, Any]:
        """Return the members of a usual document. ``None`` leaves one out."""
        usual = {
            "client_id": self.url(path),
            "client_name": NAME,
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def describe(self, path: str = "/client.json", *, headers: dict[str, str] | None = None, **changes: Any) -> str:
        """Serve a usual document with *changes*, and return its client id."""
        return self.serve(path, json.dumps(self.members(path, **changes)).encode(), headers=headers)

    def serve(self, path: str, body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> str:
        """Serve any answer, and return its address."""

        def respond(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        self._answers[path] = respond
        return self.url(path)

    def serve_endless(self, path: str, size: int) -> str:
        """Serve *size* bytes, as long as the caller reads."""

        def respond(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(size))
            handler.end_headers()
            # What waits in the buffer of the system counts as sent.
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
            part = b" " * 65_536
            while self.sent < size:
                handler.wfile.write(part)
                self.sent += len(part)

        self._answers[path] = respond
        return self.url(path)

    def serve_never(self, path: str) -> str:
        """Accept the request and answer nothing until the end."""

        def respond(handler: BaseHTTPRequestHandler) -> None:
            self.is_over.wait()

        self._answers[path] = respond
        return self.url(path)
