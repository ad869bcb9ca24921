"""Conversion of an ASGI request into a WSGI environment (PEP 3333)."""

import io
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from django.core.exceptions import RequestDataTooBig


class Readable(Protocol):
    """A file that can be sent."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""

    def close(self) -> None:
        """Close the file."""


class FileBody:
    """A file as a response body (``wsgi.file_wrapper``). The event loop sends it, so no thread waits."""

    def __init__(self, file: Readable, block_size: int = 64 * 1024) -> None:
        self.file = file
        self.block_size = block_size

    def __iter__(self) -> Iterator[bytes]:
        while block := self.file.read(self.block_size):
            yield block

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class TooLongBody(io.RawIOBase):
    """Replaces a body that is too long. Reading it raises the same exception as in Django."""

    def readable(self) -> bool:
        """Return ``True``, so that reading is tried."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Refuse.

        Raises:
            RequestDataTooBig: Always.
        """
        raise RequestDataTooBig

    def readline(self, size: int | None = -1, /) -> bytes:
        """Refuse, as `read` does."""
        return self.read()


def joined_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return each header once, with a lower-case name. Names with an underscore are dropped.

    WSGI writes a hyphen as an underscore, so ``X_Forwarded_For`` would be taken for a header that only our
    proxies may send (CVE-2015-0219).
    """
    headers: dict[bytes, bytes] = {}
    for name, value in pairs:
        if b"_" in name:
            continue
        separator = b"; " if name == b"cookie" else b","
        headers[name] = headers[name] + separator + value if name in headers else value
    return headers


def environ_of(scope: Mapping[str, Any], headers: Mapping[bytes, bytes], body: bytes | None) -> dict[str, Any]:
    """Return the WSGI environment of a request. *body* is ``None`` if it is too long."""
    server, client = scope.get("server") or ("", None), scope.get("client") or ("", None)
    raw_path = scope.get("raw_path") or scope["path"].encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(raw_path.partition(b"?")[0]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or ""),
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": TooLongBody() if body is None else io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.file_wrapper": FileBody,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        environ["HTTP_" + name.decode("latin-1").upper().replace("-", "_")] = value.decode("latin-1")
    for variable in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if (text := environ.pop(f"HTTP_{variable}", None)) is not None:
            environ[variable] = text
    if b"transfer-encoding" in headers:
        # A chunked body has no declared length, and Django reads only the declared length.
        environ["CONTENT_LENGTH"] = str(sys.maxsize if body is None else len(body))
    return environ
