"""The body of a request, which two readers may need: an early answer, and Django if the request is passed on."""

import io
from collections.abc import MutableMapping
from typing import Any

from auth_core.oauth.conf import oauth


class LostBody(io.RawIOBase):
    """Replaces a body that could not be read. Django meets the same error.

    Args:
        problem: The error.
    """

    def __init__(self, problem: Exception) -> None:
        super().__init__()
        self._problem = problem

    def readable(self) -> bool:
        """Return ``True``, so that reading is tried."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Raise the error.

        Raises:
            Exception: always.
        """
        raise self._problem

    def readline(self, size: int | None = -1, /) -> bytes:
        """Raise the error, as `read` does."""
        return self.read()


def is_short(environ: MutableMapping[str, Any]) -> bool:
    """Return whether the request declares a body that is not longer than any form needs."""
    length = environ.get("CONTENT_LENGTH") or ""
    return length.isascii() and length.isdigit() and len(length) < 10 and 0 < int(length) <= oauth.MAX_BODY_BYTES  # noqa: PLR2004 - digits


def take_body(environ: MutableMapping[str, Any]) -> bytes | None:
    """Read the body, and put it back. ``None``: it cannot be read, which the next reader finds too."""
    try:
        body: bytes = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    except Exception as problem:  # noqa: BLE001 - the server decides what it raises, and Django answers it
        environ["wsgi.input"] = LostBody(problem)
        return None
    put_back(environ, body)
    return body


def put_back(environ: MutableMapping[str, Any], body: bytes) -> None:
    """Let the next reader read *body* from its beginning."""
    environ["wsgi.input"] = io.BytesIO(body)
