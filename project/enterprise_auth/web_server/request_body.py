"""Reading of request bodies in the event loop, with limits for time, size and memory."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

#: How long a client may take to send the whole body, even if the first bytes arrive at once.
DEADLINE = timedelta(seconds=10)

#: Maximum number of bytes of an oversized body that are read and discarded. If the connection were closed while
#: the client is still sending, it would see a reset instead of the response.
THROWN_AWAY = 4 * 1024 * 1024

#: Maximum number of bytes of all bodies in memory in one process.
MEMORY = 64 * 1024 * 1024


class BodyRefused(Exception):
    """The body was not received. The connection is closed after the response.

    Args:
        status: The status of the response.
        code: The code of the problem.
        title: The title of the problem.
    """

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(code)
        self.status, self.code, self.title = status, code, title


class BodyTooLong(Exception):
    """The body exceeds the limit. The application sends its own response.

    Args:
        was_read: Whether the body was read to its end, so that the connection can serve another request.
    """

    def __init__(self, *, was_read: bool) -> None:
        super().__init__()
        self.was_read = was_read


class ClientGone(Exception):
    """The client closed the connection before it sent the whole body."""


class BodyReader:
    """Reads bodies and counts the memory that all of them use.

    Args:
        limit: Maximum size of a body in bytes.
        deadline: How long a client may take to send one body.
        memory: Maximum size of all bodies in memory, in bytes.
    """

    def __init__(self, *, limit: int, deadline: timedelta = DEADLINE, memory: int = MEMORY) -> None:
        self._limit = limit
        self._deadline = deadline.total_seconds()
        self._memory = memory
        self._used = 0

    async def read(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """Return the body.

        Raises:
            BodyTooLong: It exceeds the limit.
            BodyRefused: The deadline passed, or the memory of all bodies is used up.
            ClientGone: The connection was closed.
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
        """Release the memory of a body that is no longer needed."""
        self._used -= len(body)

    async def _collect(self, receive: Receive) -> bytes:
        body, is_more = bytearray(), True
        try:
            while is_more and len(body) <= self._limit:
                part, is_more = await _next(receive)
                if self._used + len(part) > self._memory:
                    raise BodyRefused(503, "unavailable", "Unavailable")
                self._used += len(part)
                body += part
            if len(body) > self._limit:
                raise BodyTooLong(was_read=not is_more or await _discard(receive))
        except BaseException:
            self._used -= len(body)
            raise
        return bytes(body)


async def _next(receive: Receive) -> tuple[bytes, bool]:
    """Return the next part of the body, and whether there is more.

    Raises:
        ClientGone: The connection was closed.
    """
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), message.get("more_body", False)


async def _discard(receive: Receive) -> bool:
    """Read and discard the rest of a body. Return whether it ended."""
    size, is_more = 0, True
    while is_more and size <= THROWN_AWAY:
        part, is_more = await _next(receive)
        size += len(part)
    return not is_more
