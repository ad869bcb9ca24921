"""The site of an application that only notes how its callback is visited, and has pages that lead to the service."""

import html
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

from oauth_clients.callers import Application
from oauth_clients.processes import HOST

#: Where an application on a device is sent to. Chromium hands the address to the system.
SCHEME, ON_DEVICE = "com.example.app:", "com.example.app:/arrived"

_PAGE = "<!doctype html><title>Application</title><h1>Application</h1>"


class Applications(NamedTuple):
    """The applications of the site.

    Args:
        operators: One of the operator. People are not asked to consent.
        others: One of someone else.
        on_device: One on a device.
    """

    operators: Application
    others: Application
    on_device: Application


@dataclass
class Callback:
    """A site on a port of its own, for the time of a ``with`` block.

    Args:
        certificate: The certificate of its TLS, and its key.
        onward: Where its callback sends people. Empty: it shows a page.
        arrived: The parameters of each visit of the callback, in order.
        body: What its other pages have.
    """

    certificate: tuple[Path, Path]
    onward: str = ""
    arrived: list[dict[str, str]] = field(default_factory=list)
    body: str = ""

    def __enter__(self) -> Self:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site._answer(self)

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def home(self) -> str:
        """Its origin."""
        return f"https://{HOST}:{self._server.server_port}"

    @property
    def uri(self) -> str:
        """Its redirect address."""
        return f"{self.home}/callback"

    def show_form(self, action: str, parameters: Mapping[str, str]) -> None:
        """Show a form that posts *parameters* to *action*."""
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in parameters.items()
        )
        self.body = f'<form method="post" action="{action}">{fields}<button>Go</button></form>'

    def show_link(self, address: str) -> None:
        """Show a link to *address*."""
        self.body = f'<a href="{html.escape(address)}">Go</a>'

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        is_callback = parts.path == "/callback"
        if is_callback:
            self.arrived.append(dict(parse_qsl(parts.query)))
        body = f"{_PAGE}{'' if is_callback else self.body}".encode()
        handler.send_response(302 if is_callback and self.onward else 200)
        if is_callback and self.onward:
            handler.send_header("Location", self.onward)
        handler.send_header("Content-Type", "text/html; charset=utf-8")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
