"""The headers of early answers, as Django's handler wrote them for the same kind of request.

They are not written down a second time. Django answers the first request of each kind, and its headers are used for the
next ones: those for which everything is equal that may decide about a header.
"""

from collections.abc import Mapping
from typing import Any

from auth_core.conf import core

Headers = list[tuple[str, str]]
Kind = tuple[str, ...]

#: Headers whose value depends on the settings and on the kind of request. An answer with any other is never used again.
_LASTING = frozenset({
    "Allow", "Cache-Control", "Content-Language", "Content-Security-Policy", "Content-Type", "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy", "Permissions-Policy", "Referrer-Policy", "Strict-Transport-Security", "Vary",
    "Pragma", "X-Content-Type-Options", "X-Frame-Options",
})  # fmt: skip

#: Which origins may read an answer can depend on the database. That all may is a constant.
_LASTING_AS = frozenset({("Access-Control-Allow-Origin", "*")})

#: Headers that are written for each answer.
_OWN = frozenset({"Content-Length", "X-Request-ID"})

#: Request headers that decide about no header of the answer. The functions of the normal path read them.
_WITHOUT_EFFECT = frozenset({
    "HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_TRACEPARENT", "HTTP_TRACESTATE", "HTTP_USER_AGENT", "HTTP_X_BACKGROUND",
    "HTTP_X_REQUEST_ID",
})  # fmt: skip

_VARIABLES = (
    "PATH_INFO",
    "REQUEST_METHOD",
    "SCRIPT_NAME",
    "SERVER_NAME",
    "SERVER_PORT",
    "CONTENT_TYPE",
    "wsgi.url_scheme",
)

#: Maximum length of the texts of one kind, and of the number of kinds, because callers choose them.
_LONGEST = 2048
_MOST = 512


def kind_of(environ: Mapping[str, Any], *, by_proxy: bool, identified_by: str) -> Kind | None:
    """Return all that may decide about a header of the answer. ``None`` if that is too much.

    Args:
        by_proxy: Whether one of our own proxies sent the request.
        identified_by: By what the caller is identified.
    """
    proxy_header = "HTTP_" + core.PROXY_HEADER.upper().replace("-", "_")
    parts = [identified_by, "proxy" if by_proxy else "", *(environ.get(name, "") for name in _VARIABLES)]
    for name, value in environ.items():
        if name.startswith("HTTP_") and name not in _WITHOUT_EFFECT and name != proxy_header:
            parts += (name, value)
    return tuple(parts) if sum(map(len, parts)) <= _LONGEST else None


class Heads:
    """The headers of answers with status 200, by the kind of request."""

    def __init__(self) -> None:
        self._headers: dict[Kind, Headers] = {}

    def learn(self, kind: Kind, headers: Headers) -> None:
        """Use *headers* for requests of *kind*, if no other request could get other ones."""
        others = {name for name, value in headers if name not in _LASTING and (name, value) not in _LASTING_AS}
        if others != _OWN or any("'nonce-" in value for _name, value in headers):
            return
        if len(self._headers) >= _MOST:
            self._headers.pop(next(iter(self._headers)), None)
        self._headers[kind] = headers

    def find(self, kind: Kind) -> Headers | None:
        """Return the headers of an earlier answer to a request of *kind*. Another thread may forget them meanwhile."""
        return self._headers.get(kind)

    def head(self, earlier: Headers, *, length: int, request_id: str) -> Headers:
        """Return the headers of an answer.

        Args:
            earlier: The headers of an earlier answer to the same kind of request.
            length: Of the body, in bytes.
            request_id: The correlation id.
        """
        own = {"Content-Length": str(length), "X-Request-ID": request_id}
        return [(name, own.get(name, value)) for name, value in earlier]
