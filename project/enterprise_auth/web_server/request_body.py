"""Reads the body of a request in the event loop: under a deadline, up to a size, within a budget of memory."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

#: How long a client may take to send the whole body, however fast the first bytes came.
DEADLINE = timedelta(seconds=10)

#: Bytes of a body that is too long which are read and thrown away. A client that is still sending when the
#: connection is closed would see a reset instead of the answer.
THROWN_AWAY = 4 * 1024 * 1024

#: Bytes of unfinished and waiting bodies that one process keeps at once.
MEMORY = 64 * 1024 * 1024


class BodyRefused(Exception):
    """The body was not received. The connection is closed after the answer.

    Args:
        status: The status of the answer.
        code: The code of the problem.
        title: The title of the problem.
    """

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(code)
        self.status, self.code, self.title = status, code, title


class BodyTooLong(Exception):
    """The body is longer than the application takes. The application refuses it with its own answer.

    Args:
        was_read: Whether it was read to its end, so that the connection may serve another request.
    """

    def __init__(self, *, was_read: bool) -> None:
        super().__init__()
        self.was_read = was_read


class ClientGone(Exception):
    """The client closed the connection before it sent the whole body."""


class BodyReader:
    """Reads bodies, and counts what all of them take.

    Args:
        limit: Bytes of the longest body that the application takes.
        deadline: How long one body may take.
        memory: Bytes of all bodies that are kept at once.
    """

    def __init__(self, *, limit: int, deadline: timedelta = DEADLINE, memory: int = MEMORY) -> None:
        self._limit = limit
        self._deadline = deadline.total_seconds()
        self._memory = memory
        self._kept = 0

    async def read(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """Return the body.

        Raises:
            BodyTooLong: it is longer than the limit.
            BodyRefused: the deadline passed, or the process keeps too many bodies.
            ClientGone: the connection was closed.
        """
        declared = headers.get(b"content-length", b"")
        if (not declared or declared == b"0") and b"transfer-encoding" not in headers:
            return b""
        if declared.isdigit() and int(declared) > THROWN_AWAY:
            raise BodyTooLong(was_read=False)
        try:
            async with asyncio.timeout(self._deadline):
                return await self._collect(receive)
        except TimeoutError:
            raise BodyRefused(408, "request_timeout", "Request timeout") from None

    def release(self, body: bytes) -> None:
        """Give back the memory of a body that was read and is no longer needed."""
        self._kept -= len(body)

    async def _collect(self, receive: Receive) -> bytes:
        body, is_more = bytearray(), True
        try:
            while is_more and len(body) <= self._limit:
                part, is_more = await _next(receive)
                if self._kept + len(part) > self._memory:
                    raise BodyRefused(503, "unavailable", "Unavailable")
                self._kept += len(part)
                body += part
            if len(body) > self._limit:
                raise BodyTooLong(was_read=not is_more or await _throw_away(receive))
        except BaseException:
            self._kept -= len(body)
            raise
        return bytes(body)


async def _next(receive: Receive) -> tuple[bytes, bool]:
    """Return the next part of the body, and whether there is more.

    Raises:
        ClientGone: the connection was closed.
    """
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), message.get("more_body", False)


async def _throw_away(receive: Receive) -> bool:
    """Read on without keeping anything; return whether the body ended."""
    size, is_more = 0, True
    while is_more and size <= THROWN_AWAY:
        part, is_more = await _next(receive)
        size += len(part)
    return not is_more
