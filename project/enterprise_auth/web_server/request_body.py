"""Reads the body of a request in the event loop: under a deadline, up to a size, within a budget of memory."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

#: How long a client may take to send the whole body, however fast the first bytes came.
DEADLINE = timedelta(seconds=10)

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
        """Return the body, or one byte more than the limit of a body that is longer.

        The application refuses what is longer with its own answer.

        Raises:
            BodyRefused: the deadline passed, or the process keeps too many bodies.
            ClientGone: the connection was closed.
        """
        declared = headers.get(b"content-length", b"")
        if (not declared or declared == b"0") and b"transfer-encoding" not in headers:
            return b""
        try:
            async with asyncio.timeout(self._deadline):
                return await self._collect(receive)
        except TimeoutError:
            raise BodyRefused(408, "request_timeout", "Request timeout") from None

    def release(self, body: bytes) -> None:
        """Give back the memory of a body that was read and is no longer needed."""
        self._kept -= len(body)

    async def _collect(self, receive: Receive) -> bytes:
        body = bytearray()
        try:
            while len(body) <= self._limit:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                self._keep(body, message.get("body", b""))
                if not message.get("more_body", False):
                    break
        except BaseException:
            self._kept -= len(body)
            raise
        surplus = len(body) - (self._limit + 1)
        if surplus > 0:
            del body[-surplus:]
            self._kept -= surplus
        return bytes(body)

    def _keep(self, body: bytearray, part: bytes) -> None:
        if self._kept + len(part) > self._memory:
            raise BodyRefused(503, "unavailable", "Unavailable")
        self._kept += len(part)
        body += part
