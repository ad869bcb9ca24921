"""The ASGI application. It hands complete requests to threads, which run the WSGI application."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from enterprise_auth.web_server.busy_page import HEADERS
from enterprise_auth.web_server.environ import FileBody, environ_of, joined_headers
from enterprise_auth.web_server.lane import Lane
from enterprise_auth.web_server.request_body import DEADLINE, BodyReader, BodyRefused, BodyTooLong, ClientGone, Receive

Send = Callable[[dict[str, Any]], Awaitable[None]]
WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

log = logging.getLogger("auth_core.request")

#: How long a client may take to accept the next block of a response.
STALL = timedelta(seconds=10)
_BLOCK = 64 * 1024


@dataclass(slots=True)
class Answer:
    """A response of the application. `body` is complete, or a file that is still to be sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes | FileBody

    def closing(self) -> "Answer":
        """Return the response with a header that closes the connection, on which the rest of a body is unread."""
        return Answer(self.status, [*self.headers, (b"connection", b"close")], self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logins:
    """The requests that hash a password (decision record 0043).

    They have threads of their own. Without a free one they wait in the event loop, where a request costs no thread and
    no connection to the database. Beyond the queue they are refused before the application sees them, so that nothing
    is charged, and known and unknown identifiers are refused alike.

    Args:
        paths: Their paths. Only POST requests hash.
        threads: Number of their threads.
        queue: Number of requests that may wait.
        wait: How long one of them may wait. Its caller may have given up by then.
        prepare: Called once in each of the threads.
        page: Returns the page for a browser whose request is refused, from its WSGI environment. ``None``: a problem
            document. Called in the event loop or in one of the threads.
    """

    paths: Collection[str]
    threads: int
    queue: int
    wait: timedelta = timedelta(seconds=10)
    prepare: Callable[[], None] = lambda: None
    page: Callable[[Mapping[str, Any]], bytes | None] = lambda environ: None


class ThreadedApplication:
    """Serves a WSGI application on an ASGI server, so that no client can occupy a thread.

    Args:
        application: The WSGI application.
        threads: Maximum number of requests processed at once.
        body_limit: Maximum size of a request body in bytes.
        probe_paths: The paths that have a thread of their own.
        logins: The requests that hash a password. ``None``: they have no threads of their own.
        prepare: Called once, before the first request.
        deadline: How long a client may take to send a body.
    """

    def __init__(
        self,
        application: WsgiApplication,
        *,
        threads: int,
        body_limit: int,
        probe_paths: Collection[str],
        logins: Logins | None = None,
        prepare: Callable[[], None] = lambda: None,
        deadline: timedelta = DEADLINE,
    ) -> None:
        self._application = application
        self._probe_paths = probe_paths
        self._prepare: Callable[[], None] | None = prepare
        self._bodies = BodyReader(limit=body_limit, deadline=deadline)
        self._lane = Lane(threads, "web")
        self._login_paths: Collection[str] = () if logins is None else logins.paths
        self._logins, self._login_wait = self._lane, 0.0
        self._page: Callable[[Mapping[str, Any]], bytes | None] = lambda environ: None
        if logins is not None:
            self._login_wait, self._page = logins.wait.total_seconds(), logins.page
            self._logins = Lane(logins.threads, "login", queue=logins.queue, prepare=logins.prepare)
        self._refusals = _Refusals()
        # The health check responds even if every other thread waits for the database.
        self._probes = Lane(1, "health")
        # A streaming response occupies its thread, because its database cursor belongs to the thread.
        self._streams = threading.BoundedSemaphore(max(1, threads // 2))

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request.

        Raises:
            ValueError: *scope* is not an HTTP request.
        """
        if scope["type"] != "http":
            raise ValueError(f"Unsupported protocol: {scope['type']}. Only HTTP is served.")
        if self._prepare is not None:
            prepare, self._prepare = self._prepare, None
            prepare()
        headers = joined_headers(scope["headers"])
        body, is_whole = None, True
        try:
            body = await self._bodies.read(headers, receive)
        except ClientGone:
            return
        except BodyTooLong as refusal:
            is_whole = refusal.was_read
        except BodyRefused as refusal:
            fields = {"status": refusal.status, "reason": refusal.code}
            log.warning("body refused: %(reason)s", fields, extra=fields)
            await _send(send, _problem(refusal))
            return
        lane, environ = self._lane_of(scope), environ_of(scope, headers, body)
        try:
            answer = self._busy(environ) if lane.is_full else await self._work(lane, environ, send)
        finally:
            self._bodies.release(body or b"")
        if answer is not None:
            await _send(send, answer if is_whole else answer.closing())

    def _lane_of(self, scope: Mapping[str, Any]) -> Lane:
        if scope["path"] in self._probe_paths:
            return self._probes
        return self._logins if scope["method"] == "POST" and scope["path"] in self._login_paths else self._lane

    async def _work(self, lane: Lane, environ: dict[str, Any], send: Send) -> Answer | None:
        """Run the application in a thread of *lane*. Return its response, or ``None`` if the thread already sent it."""
        loop, began = asyncio.get_running_loop(), time.monotonic()
        done: asyncio.Future[Answer | None] = loop.create_future()

        def job() -> None:
            try:
                answer: Answer | None
                if self._is_late(lane, began):
                    answer = self._busy(environ)
                else:
                    answer = self._run(environ, lambda message: _send_from_thread(loop, send, message))
            except BaseException as error:  # noqa: BLE001 - raised again in the event loop
                _tell(loop, _fail, done, error)
            else:
                _tell(loop, _succeed, done, answer)

        lane.run(job)
        return await done

    def _is_late(self, lane: Lane, began: float) -> bool:
        """Tell whether a login has waited too long."""
        is_login = lane is self._logins and lane is not self._lane
        return is_login and time.monotonic() - began > self._login_wait

    def _busy(self, environ: Mapping[str, Any]) -> Answer:
        """Refuse a login: with a page for a browser, and a problem document for others.

        Its body was read, so the connection can serve another request.
        """
        self._refusals.note()
        problem, page = _problem(_UNAVAILABLE, closes=False), self._page(environ)
        if page is None:
            return problem
        others = [header for header in problem.headers if header[0] != b"content-type"]
        return Answer(problem.status, [*HEADERS, *others], page)

    def _run(self, environ: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> Answer | None:
        """Call the WSGI application. Runs in a thread of the lane."""
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
            started[:] = [int(status[:3]), [(name.lower().encode("latin-1"), value.encode("latin-1"))
                                            for name, value in headers]]  # fmt: skip

        parts = self._application(environ, start_response)
        status, headers = started
        if isinstance(parts, FileBody):
            return Answer(status, headers, parts)
        try:
            if not getattr(parts, "streaming", False):
                return Answer(status, headers, b"".join(parts))
            if not self._streams.acquire(blocking=False):
                return _problem(_UNAVAILABLE)
            try:
                _stream(status, headers, parts, send)
            finally:
                self._streams.release()
        finally:
            if hasattr(parts, "close"):
                parts.close()
        return None


def _stream(
    status: int, headers: list[tuple[bytes, bytes]], parts: Iterable[bytes], send: Callable[[dict[str, Any]], None]
) -> None:
    send({"type": "http.response.start", "status": status, "headers": headers})
    block = bytearray()
    for part in parts:
        block += part
        if len(block) >= _BLOCK:
            send({"type": "http.response.body", "body": bytes(block), "more_body": True})
            block.clear()
    send({"type": "http.response.body", "body": bytes(block)})


def _send_from_thread(loop: asyncio.AbstractEventLoop, send: Send, message: dict[str, Any]) -> None:
    """Send from a thread, and wait until the client accepts the data.

    Raises:
        TimeoutError: The client did not accept the data in time.
    """

    async def send_in_time() -> None:
        async with asyncio.timeout(STALL.total_seconds()):
            await send(message)

    asyncio.run_coroutine_threadsafe(send_in_time(), loop).result()


async def _send(send: Send, answer: Answer) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    if isinstance(answer.body, bytes):
        await send({"type": "http.response.body", "body": answer.body})
        return
    try:
        while block := await asyncio.to_thread(answer.body.file.read, _BLOCK):
            async with asyncio.timeout(STALL.total_seconds()):
                await send({"type": "http.response.body", "body": block, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    except TimeoutError:
        # The event loop has no context, but the response names the request.
        request_id = dict(answer.headers).get(b"x-request-id", b"").decode("latin-1")
        fields = {"status": answer.status, "correlation_id": request_id}
        log.warning("response not read by the client (status %s)", answer.status, extra=fields)
    finally:
        await asyncio.to_thread(answer.body.close)


class _Refusals:
    """Counts refused logins in the log, with one line a second at most: a flood must not fill the log."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unlogged = 0
        self._next = 0.0

    def note(self) -> None:
        with self._lock:
            self._unlogged += 1
            if time.monotonic() < self._next:
                return
            refused, self._unlogged, self._next = self._unlogged, 0, time.monotonic() + 1
        fields = {"status": _UNAVAILABLE.status, "reason": "login_queue", "refused": refused}
        log.warning("%(refused)s requests refused: too many logins are waiting", fields, extra=fields)


_UNAVAILABLE = BodyRefused(503, "unavailable", "Unavailable")


def _problem(refusal: BodyRefused, *, closes: bool = True) -> Answer:
    """Return the problem details (RFC 9457) for a request that did not reach the application."""
    problem = {
        "type": f"urn:auth:{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "code": refusal.code,
    }
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"cache-control", b"no-store"),
    ]
    if closes:
        headers.append((b"connection", b"close"))
    if refusal.status == 503:  # noqa: PLR2004 - the status with a Retry-After
        headers.append((b"retry-after", b"1"))
    return Answer(refusal.status, headers, json.dumps(problem).encode())


def _succeed(done: asyncio.Future[Answer | None], answer: Answer | None) -> None:
    if not done.done():
        done.set_result(answer)


def _fail(done: asyncio.Future[Answer | None], error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)


def _tell(loop: asyncio.AbstractEventLoop, tell: Callable[..., None], *values: Any) -> None:
    """Call *tell* in the event loop. After the loop has closed nothing waits for the result."""
    try:
        loop.call_soon_threadsafe(tell, *values)
    except RuntimeError:
        if not loop.is_closed():
            raise
