"""A reverse proxy for one test: TLS in front of the service, below a path."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import requests

from live.service import Service

#: Headers of one connection, which a proxy does not pass on.
_OF_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"})


class Proxy:
    """Passes requests below *prefix* to a service, and answers others with 418.

    Args:
        service: The service, whose certificate the proxy uses too.
        port: The port to listen on.
        prefix: The path of the service.
    """

    #: Whether the service gets the path without the prefix.
    strips = False

    def __init__(self, service: Service, *, port: int, prefix: str) -> None:
        self._service, self._prefix = service, prefix
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def handle_request(self) -> None:
                proxy.answer(self)

            do_GET = do_POST = do_HEAD = handle_request  # noqa: N815 - the names of http.server

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(service.certificate, service.folder / "key.pem")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        if not f"{handler.path}/".startswith(f"{self._prefix}/"):
            handler.send_error(418)
            return
        path = handler.path.removeprefix(self._prefix) if self.strips else handler.path
        headers = {
            **{name: value for name, value in handler.headers.items() if name.lower() not in _OF_CONNECTION},
            "X-Forwarded-For": "203.0.113.9:51234",
            "X-Forwarded-Proto": "https",
        }
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self._service.session() as caller:
            passed = caller.request(
                handler.command, f"{self._service.url}{path}", headers=headers, data=body or None, allow_redirects=False,
                timeout=60,
            )  # fmt: skip
        self._pass_on(handler, passed)

    def _pass_on(self, handler: BaseHTTPRequestHandler, passed: requests.Response) -> None:
        handler.send_response(passed.status_code)
        for name, value in passed.raw.headers.items():
            if name.lower() not in _OF_CONNECTION:
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(passed.content)))
        handler.end_headers()
        handler.wfile.write(passed.content)
