"""Every line that is logged for a request has the id of its response, in Django's WSGI and ASGI handlers."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from django.core.exceptions import DisallowedHost, PermissionDenied, SuspiciousOperation
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import path

from auth_core.observability.logs import ContextFilter, RedactingFilter
from auth_core.request import context
from auth_core.request.context import Context, bound, correlation_id, existing, keep_secret

own_log = logging.getLogger("site.own")

handler400 = "auth_core.pages.errors.bad_request"
handler403 = "auth_core.pages.errors.permission_denied"
handler404 = "auth_core.pages.errors.not_found"
handler500 = "auth_core.pages.errors.server_error"


def succeeds(request: HttpRequest) -> HttpResponse:
    own_log.warning("in the view")
    return HttpResponse(correlation_id())


async def succeeds_async(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0)
    own_log.warning("in the view")
    return HttpResponse(correlation_id())


def raises(error: type[Exception]) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        raise error("a message")

    return view


def streams(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        own_log.warning("in the body")
        yield correlation_id()

    return StreamingHttpResponse(parts())


def closes(request: HttpRequest) -> HttpResponse:
    response = HttpResponse()
    response._resource_closers.append(lambda: own_log.warning("after the response"))
    return response


def keeps_a_secret(request: HttpRequest) -> HttpResponse:
    keep_secret("hunter22-of-this-request")
    return HttpResponse("hunter22-of-this-request", status=404, reason="Not hunter22-of-this-request")


urlpatterns = [
    path("succeeds/", succeeds),
    path("async/", succeeds_async),
    path("streams/", streams),
    path("closes/", closes),
    path("secret/", keeps_a_secret),
    *(
        path(f"{error.__name__}/", raises(error))
        for error in (RuntimeError, Http404, PermissionDenied, SuspiciousOperation, DisallowedHost)
    ),
]


class BrokenMiddleware:
    """Stands before the context's middleware, and fails for one path."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/broken/":
            raise RuntimeError
        return self._get_response(request)


Answer = tuple[Mapping[str, str], str]
Ask = Callable[[str], Answer]


def ask_wsgi(target: str) -> Answer:
    """Serve one request as a WSGI server does."""
    headers: dict[str, str] = {}
    environ = RequestFactory()._base_environ(PATH_INFO=target, REQUEST_METHOD="GET")
    response: Any = WSGIHandler()(environ, lambda status, pairs, *rest: headers.update(pairs))
    body = b"".join(response).decode()
    response.close()
    return headers, body


def ask_asgi(target: str) -> Answer:
    """Serve one request as an ASGI server does."""
    sent: list[Any] = []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": target, "raw_path": target.encode(), "query_string": b"", "headers": [(b"host", b"testserver")],
        "client": ("127.0.0.1", 4711), "server": ("testserver", 80),
    }  # fmt: skip

    async def serve() -> None:
        messages = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            if messages:
                return messages.pop()
            return await asyncio.sleep(3600)

        async def send(message: Any) -> None:
            sent.append(message)

        await ASGIHandler()(scope, receive, send)

    asyncio.run(serve())
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return headers, b"".join(message.get("body", b"") for message in sent[1:]).decode()


@pytest.fixture
def lines(settings: Any) -> Iterator[list[logging.LogRecord]]:
    """The records of all loggers, as a handler of the service formats them."""
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = ["testserver"]
    # An earlier test may have created a context for this thread, as a command does.
    token = context._current.set(None)
    # As in Django's test client: these tests have no database whose connection could be closed.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    handler, kept = logging.Handler(), []
    handler.emit = kept.append  # type: ignore[method-assign]  # the simplest handler
    handler.addFilter(ContextFilter())
    handler.addFilter(RedactingFilter())
    loggers = [logging.getLogger(name) for name in ("", "django")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.INFO)
    loggers[0].addHandler(handler)
    yield kept
    loggers[0].removeHandler(handler)
    context._current.reset(token)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def ids_of(lines: list[logging.LogRecord]) -> list[tuple[str, str]]:
    return [(line.name, getattr(line, "correlation_id", "")) for line in lines if line.name != "asyncio"]


both_handlers = pytest.mark.parametrize("ask", [ask_wsgi, ask_asgi])


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
@both_handlers
@pytest.mark.parametrize(
    ("target", "loggers"),
    [
        ("/succeeds/", {"site.own", "auth_core.request"}),
        ("/async/", {"site.own", "auth_core.request"}),
        ("/streams/", {"site.own", "auth_core.request"}),
        ("/closes/", {"site.own", "auth_core.request"}),
        ("/nowhere/", {"django.request", "auth_core.request"}),
        ("/Http404/", {"django.request", "auth_core.request"}),
        ("/RuntimeError/", {"django.request", "auth_core.request"}),
        ("/PermissionDenied/", {"django.request", "auth_core.request"}),
        ("/SuspiciousOperation/", {"django.security.SuspiciousOperation", "auth_core.request"}),
        ("/DisallowedHost/", {"django.security.DisallowedHost", "auth_core.request"}),
    ],
)
def test_every_line_of_a_request_has_the_id_of_its_response(
    ask: Ask, target: str, loggers: set[str], lines: list[logging.LogRecord]
) -> None:
    answers = [ask(target), ask(target)]

    expected = [headers.get("X-Request-ID") or headers["x-request-id"] for headers, _body in answers]
    assert len(set(expected)) == 2
    assert {name for name, _id in ids_of(lines)} >= loggers
    half = len(lines) // 2
    assert {request_id for _name, request_id in ids_of(lines[:half])} == {expected[0]}
    assert {request_id for _name, request_id in ids_of(lines[half:])} == {expected[1]}
    for (_headers, body), request_id in zip(answers, expected, strict=True):
        assert target not in ("/succeeds/", "/async/", "/streams/") or body == request_id


@both_handlers
def test_a_line_after_a_request_has_no_id(ask: Ask, lines: list[logging.LogRecord]) -> None:
    ask("/succeeds/")
    ask("/nowhere/")
    lines.clear()

    own_log.warning("between two requests")

    assert ids_of(lines) == [("site.own", "")]
    assert existing() is None


@both_handlers
def test_an_error_outside_the_middleware_shows_the_id_of_its_line(
    ask: Ask, lines: list[logging.LogRecord], settings: Any
) -> None:
    settings.MIDDLEWARE = [f"{__name__}.BrokenMiddleware", *settings.MIDDLEWARE]

    bodies = [ask("/broken/")[1] for _time in range(2)]

    ids = [request_id for name, request_id in ids_of(lines) if name == "django.request"]
    assert len(set(ids)) == len(ids) == 2
    assert all(f'"request_id": "{request_id}"' in body for request_id, body in zip(ids, bodies, strict=True))


@both_handlers
def test_a_secret_of_the_request_is_masked_after_the_middleware(ask: Ask, lines: list[logging.LogRecord]) -> None:
    ask("/secret/")

    messages = [line.getMessage() for line in lines if line.name == "django.request"]
    assert len(messages) == 1
    assert "hunter22" not in messages[0]


def test_a_request_that_was_never_finished_does_not_reach_the_next(lines: list[logging.LogRecord]) -> None:
    environ = RequestFactory()._base_environ(PATH_INFO="/succeeds/", REQUEST_METHOD="GET")
    WSGIHandler()(environ, lambda *arguments: None)  # and never closed

    headers, body = ask_wsgi("/succeeds/")

    assert body == headers["X-Request-ID"]
    assert existing() is None


def test_a_request_inside_a_task_returns_to_the_context_of_the_task(lines: list[logging.LogRecord]) -> None:
    with bound(Context(correlation_id="task-12345")):
        _headers, body = ask_wsgi("/succeeds/")
        own_log.warning("in the task")

    assert body != "task-12345"
    assert ids_of(lines)[-1] == ("site.own", "task-12345")


def test_a_line_of_another_thread_names_its_request(lines: list[logging.LogRecord]) -> None:
    request = RequestFactory().get("/")
    thread = threading.Thread(target=lambda: own_log.warning("later: %s", "a line", extra={"request": request}))
    thread.start()
    thread.join()
    own_log.warning("again: %s", "a line", extra={"request": request})

    first, second = ids_of(lines)
    assert first == second
    assert first[1]


def test_a_line_of_a_thread_without_a_request_has_no_id(lines: list[logging.LogRecord]) -> None:
    thread = threading.Thread(target=lambda: own_log.warning("in a thread"))
    thread.start()
    thread.join()

    assert ids_of(lines) == [("site.own", "")]


def test_a_second_handler_does_not_change_the_id(lines: list[logging.LogRecord]) -> None:
    record = logging.makeLogRecord({"request": RequestFactory().get("/")})
    for _handler in range(2):
        ContextFilter().filter(record)
        RedactingFilter().filter(record)
        lines.append(record)

    assert len({line.correlation_id for line in lines}) == 1  # type: ignore[attr-defined]  # a filter sets it
