"""The ASGI application of the web server: its reading of bodies, its refusals, and the requests of threads."""

import asyncio
import json
import runpy
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.utils.translation import get_language

from auth_core.middleware import HEALTH_PATH
from enterprise_auth import wsgi
from enterprise_auth.asgi import application as served
from enterprise_auth.web_server.application import Logins, ThreadedApplication
from enterprise_auth.web_server.busy_page import busy_page
from enterprise_auth.web_server.environ import FileBody
from enterprise_auth.web_server.request_body import BodyReader, BodyRefused, BodyTooLong

LIMIT = 1_000
Messages = list[dict[str, Any]]


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Return the received environment and body."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "application/json")])
    texts = {name: value for name, value in environ.items() if isinstance(value, str)}
    return [json.dumps({"body": body.decode(), "environ": texts, "thread": threading.current_thread().name}).encode()]


def scope_of(path: str = "/", headers: Iterable[tuple[bytes, bytes]] = (), **changed: Any) -> dict[str, Any]:
    return {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "https", "path": path,
        "raw_path": path.encode(), "query_string": b"a=1", "headers": list(headers),
        "server": ("127.0.0.1", 8000), "client": ("192.0.2.7", 4711), **changed,
    }  # fmt: skip


def answer_of(
    scope: dict[str, Any],
    *parts: bytes,
    application: Any = echo,
    hangs: bool = False,
    deadline: float = 5,
    threads: int = 1,
) -> Messages:
    """Serve one request with a body in *parts*. With *hangs* the last part never arrives."""
    sent: Messages = []

    async def serve() -> None:
        waiting = list(parts)

        async def receive() -> dict[str, Any]:
            if hangs and not waiting:
                await asyncio.Event().wait()
            part = waiting.pop(0) if waiting else b""
            return {"type": "http.request", "body": part, "more_body": bool(waiting) or hangs}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        app = ThreadedApplication(
            application,
            threads=threads,
            body_limit=LIMIT,
            probe_paths={"/health/"},
            deadline=timedelta(seconds=deadline),
        )
        await asyncio.wait_for(app(scope, receive, send), 20)

    asyncio.run(serve())
    return sent


def sized(size: int) -> tuple[bytes, bytes]:
    return b"content-length", str(size).encode()


def content_of(messages: Messages) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(b"".join(message.get("body", b"") for message in messages))
    return answer


def test_a_thread_receives_the_complete_body() -> None:
    content = content_of(answer_of(scope_of(headers=[sized(6)]), b"abc", b"def"))

    assert content["body"] == "abcdef"
    assert content["thread"].startswith("web-")


def test_a_late_body_is_408_and_reaches_no_thread() -> None:
    calls: list[Any] = []

    def counting(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        calls.append(environ)
        return echo(environ, start_response)

    sent = answer_of(scope_of(headers=[sized(6)]), b"abc", application=counting, hangs=True, deadline=0.05)

    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert content_of(sent) == {
        "type": "urn:auth:request_timeout", "title": "Request timeout", "status": 408, "code": "request_timeout",
    }  # fmt: skip
    assert calls == []


def test_a_chunked_body_has_the_received_length() -> None:
    content = content_of(answer_of(scope_of(headers=[(b"transfer-encoding", b"chunked")]), b"abc", b"def"))

    assert content["body"] == "abcdef"
    assert content["environ"]["CONTENT_LENGTH"] == "6"


CHUNKED = (b"transfer-encoding", b"chunked")


def refusing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Read the body as Django does, and return the declared length."""
    start_response("413 Content Too Large", [])
    with pytest.raises(RequestDataTooBig):
        environ["wsgi.input"].read(10)
    with pytest.raises(RequestDataTooBig):
        environ["wsgi.input"].readline()
    return [environ["CONTENT_LENGTH"].encode()]


@pytest.mark.parametrize("header", [CHUNKED, sized(3_000)], ids=["in chunks", "declared"])
@pytest.mark.parametrize("parts", [[b"x" * 600] * 5, [b"x" * 3_000]], ids=["in parts", "at once"])
def test_the_application_refuses_a_body_that_is_too_long(parts: list[bytes], header: tuple[bytes, bytes]) -> None:
    sent = answer_of(scope_of(headers=[header]), *parts, application=refusing)

    assert sent[0]["status"] == 413
    assert int(sent[1]["body"]) > LIMIT
    assert (b"connection", b"close") not in sent[0]["headers"], "the body was read to its end"


def test_a_body_with_a_huge_declared_length_is_not_read() -> None:
    sent = answer_of(scope_of(headers=[sized(10**15)]), application=refusing, hangs=True)

    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]


def test_an_endless_chunked_body_is_refused() -> None:
    parts = [b"x" * 500_000] * 20
    sent = answer_of(scope_of(headers=[CHUNKED]), *parts, application=refusing, hangs=True)

    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]


def test_a_body_that_is_too_long_holds_no_memory() -> None:
    reader = BodyReader(limit=100, memory=350)

    async def long() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * 300}

    for _time in range(3):
        with pytest.raises(BodyTooLong):
            asyncio.run(reader.read(dict([sized(300)]), long))


def test_a_request_without_a_body_does_not_wait() -> None:
    assert content_of(answer_of(scope_of(), hangs=True))["body"] == ""


def test_a_client_that_disconnects_gets_no_response() -> None:
    sent: Messages = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    app = ThreadedApplication(echo, threads=1, body_limit=LIMIT, probe_paths={"/health/"})
    asyncio.run(app(scope_of(headers=[sized(6)]), receive, send))

    assert sent == []


def test_bodies_beyond_the_memory_limit_are_refused_until_memory_is_released() -> None:
    reader = BodyReader(limit=100, memory=150)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * 100}

    headers = dict([sized(100)])
    first = asyncio.run(reader.read(headers, receive))
    with pytest.raises(BodyRefused) as refused:
        asyncio.run(reader.read(headers, receive))
    reader.release(first)

    assert refused.value.status == 503
    assert len(asyncio.run(reader.read(headers, receive))) == 100


def test_the_memory_of_aborted_bodies_is_released() -> None:
    reader = BodyReader(limit=100, memory=150, deadline=timedelta(milliseconds=20))

    for _ in range(3):
        parts = [{"type": "http.request", "body": b"x" * 90, "more_body": True}]

        async def stops(parts: list[dict[str, Any]] = parts) -> dict[str, Any]:
            if not parts:
                await asyncio.Event().wait()
            return parts.pop()

        with pytest.raises(BodyRefused) as refused:
            asyncio.run(reader.read(dict([sized(100)]), stops))
        assert refused.value.status == 408


def test_a_header_with_an_underscore_is_dropped() -> None:
    headers = [(b"x-forwarded-for", b"192.0.2.2"), (b"x_forwarded_for", b"192.0.2.1"), (b"x_forwarded_proto", b"https")]
    environ = content_of(answer_of(scope_of(headers=headers)))["environ"]

    assert environ["HTTP_X_FORWARDED_FOR"] == "192.0.2.2"
    assert "HTTP_X_FORWARDED_PROTO" not in environ


@pytest.mark.parametrize(("length", "read"), [(1_000, 1_000), (1_001, 0), (20_000, 0)])
def test_a_long_content_type_is_dropped_before_django_reads_it(
    length: int, read: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[int] = []
    monkeypatch.setattr(wsgi, "_serve", lambda environ, _start: [lengths.append(len(environ["CONTENT_TYPE"]))])

    wsgi.application({"REQUEST_METHOD": "POST", "CONTENT_TYPE": "a" * length}, lambda *_arguments: None)  # type: ignore[arg-type,return-value]  # nothing is written

    assert lengths == [read]


def test_repeated_headers_are_joined_and_cookies_with_semicolons() -> None:
    headers = [(b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"accept", b"text/html"), (b"accept", b"*/*")]
    environ = content_of(answer_of(scope_of(headers=headers)))["environ"]

    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert environ["HTTP_ACCEPT"] == "text/html,*/*"


def test_the_environment_contains_the_data_of_the_server() -> None:
    environ = content_of(answer_of(scope_of("/caf%C3%A9/%00", headers=[(b"content-type", b"text/plain")])))["environ"]

    assert environ["PATH_INFO"].encode("latin-1").decode() == "/café/\0"
    assert environ["QUERY_STRING"] == "a=1"
    assert environ["REMOTE_ADDR"] == "192.0.2.7"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("127.0.0.1", "8000")
    assert environ["CONTENT_TYPE"] == "text/plain"
    assert environ["wsgi.url_scheme"] == "https"


def test_a_client_on_a_unix_socket_has_no_address() -> None:
    assert content_of(answer_of(scope_of(client=None)))["environ"]["REMOTE_ADDR"] == ""


def test_health_is_answered_while_every_thread_is_busy() -> None:
    release = threading.Event()
    answered: list[int] = []

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow/":
            release.wait(timeout=30)
        return echo(environ, start_response)

    async def nothing() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        if "status" in message:
            answered.append(message["status"])

    async def serve() -> None:
        app = ThreadedApplication(application, threads=2, body_limit=LIMIT, probe_paths={"/health/"})
        slow = [asyncio.ensure_future(app(scope_of("/slow/"), nothing, send)) for _ in range(5)]
        await asyncio.sleep(0)
        for _ in range(3):
            await asyncio.wait_for(app(scope_of("/health/"), nothing, send), 10)
        assert answered == [200] * 3
        release.set()
        await asyncio.gather(*slow)

    asyncio.run(serve())

    assert answered == [200] * 8


def test_the_health_path_has_its_own_thread() -> None:
    assert served._probe_paths == {HEALTH_PATH}


def test_gunicorn_is_configured_to_read_bodies_in_its_event_loop() -> None:
    configured = runpy.run_path(str(Path(__file__).parents[1] / "gunicorn.conf.py"))

    assert configured["worker_class"] == "asgi"
    assert configured["wsgi_app"] == "enterprise_auth.asgi:application"


def test_exceptions_of_the_application_reach_the_server() -> None:
    def broken(_environ: dict[str, Any], _start: Callable[..., Any]) -> Iterable[bytes]:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        answer_of(scope_of(), application=broken)


def test_only_http_is_served() -> None:
    with pytest.raises(ValueError, match="websocket"):
        answer_of(scope_of(type="websocket"))


class Streaming(list[bytes]):
    """A streaming response."""

    streaming = True
    closed = False

    def close(self) -> None:
        self.closed = True


def test_a_streamed_response_is_sent_in_blocks_and_closed() -> None:
    parts = Streaming([b"x" * 40_000] * 4)

    def application(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return parts

    sent = answer_of(scope_of(), application=application, threads=2)

    assert [len(message.get("body", b"")) for message in sent] == [0, 80_000, 80_000, 0]
    assert parts.closed


def test_a_file_is_sent_without_an_application_thread(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 200_000)
    files: list[Any] = []

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        wrapped: FileBody = environ["wsgi.file_wrapper"](path.open("rb"))
        files.append(wrapped.file)
        return wrapped

    sent = answer_of(scope_of(), application=application)

    assert b"".join(message.get("body", b"") for message in sent) == b"x" * 200_000
    assert [file.closed for file in files] == [True]


class Gate:
    """An application whose logins wait at a gate, and which counts them."""

    def __init__(self) -> None:
        self.opens, self.is_full = threading.Event(), threading.Event()
        self.lock = threading.Lock()
        self.running = self.most = self.finished = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/login/" and environ["REQUEST_METHOD"] == "POST":
            with self.lock:
                self.running += 1
                self.most = max(self.most, self.running)
                if self.running > 1:
                    self.is_full.set()
            self.opens.wait(20)
            with self.lock:
                self.running -= 1
                self.finished += 1
        start_response("200 OK", [])
        return [threading.current_thread().name.encode()]


def status_and_headers(sent: Messages) -> tuple[int, dict[bytes, bytes]]:
    return sent[0]["status"], dict(sent[0]["headers"])


def flood(
    callers: int, *, queue: int, wait: float = 60, headers: Iterable[tuple[bytes, bytes]] = (), query: bytes = b"a=1"
) -> tuple[Gate, list[Messages], list[Messages]]:
    """Send *callers* logins at once to two login threads, then other requests, then let the logins go on.

    Returns the application, the answers to the logins, and those to the others, which came before the first login ended.
    """
    gate = Gate()
    logins = Logins(paths={"/login/"}, threads=2, queue=queue, wait=timedelta(seconds=wait), page=busy_page)

    async def one(app: ThreadedApplication, **changed: Any) -> Messages:
        sent: Messages = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"x", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await app(scope_of(headers=[sized(1), *headers], query_string=query, **changed), receive, send)
        return sent

    async def run() -> tuple[list[Messages], list[Messages]]:
        app = ThreadedApplication(gate, threads=1, body_limit=LIMIT, probe_paths=(), logins=logins)
        waiting = [asyncio.ensure_future(one(app, path="/login/")) for _caller in range(callers)]
        others = [
            await asyncio.wait_for(one(app, **changed), 20)
            for changed in ({"path": "/me/"}, {"path": "/login/", "method": "GET"})
        ]
        if wait > 0:
            # On a busy machine the second login thread may start late.
            assert await asyncio.to_thread(gate.is_full.wait, 20)
        assert gate.finished == 0
        gate.opens.set()
        return await asyncio.gather(*waiting), others

    answers, others = asyncio.run(run())
    return gate, answers, others


def test_32_logins_wait_and_none_is_refused() -> None:
    gate, answers, _others = flood(32, queue=30)

    assert [status_and_headers(sent)[0] for sent in answers] == [200] * 32
    assert (gate.finished, gate.most) == (32, 2)


def test_a_flood_of_logins_keeps_no_other_request_waiting() -> None:
    _gate, _answers, others = flood(200, queue=30)

    assert [(sent[0]["status"], sent[1]["body"]) for sent in others] == [(200, b"web-0")] * 2


def test_without_threads_of_their_own_logins_would_keep_others_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ThreadedApplication, "_lane_of", lambda self, scope: self._logins)
    monkeypatch.setattr("test_web_server.asyncio.wait_for", _expect_timeout)

    with pytest.raises(TimeoutError):  # the planted defect is caught
        flood(32, queue=300)


async def _expect_timeout(awaited: Any, _seconds: float) -> Any:
    async with asyncio.timeout(0.2):
        return await awaited


def test_a_login_beyond_the_queue_is_refused_before_the_application_sees_it() -> None:
    gate, answers, _others = flood(200, queue=30)

    refused = [sent for sent in answers if sent[0]["status"] == 503]
    assert (len(refused), gate.finished) == (168, 32)
    headers = status_and_headers(refused[0])[1]
    assert (headers[b"retry-after"], headers[b"content-type"]) == (b"1", b"application/problem+json")
    assert b"connection" not in headers
    assert json.loads(refused[0][1]["body"])["code"] == "unavailable"
    assert all(sent == refused[0] for sent in refused)


FORM = (
    (b"accept", b"text/html,application/xhtml+xml,*/*;q=0.8"),
    (b"content-type", b"application/x-www-form-urlencoded"),
)


@pytest.mark.parametrize("late", [False, True], ids=["beyond the queue", "too late"])
def test_a_refused_form_of_a_browser_gets_a_page(late: bool) -> None:
    _gate, answers, _others = flood(40, queue=30, wait=-1 if late else 60, headers=FORM, query=b"next=/account/%22")

    status, headers = status_and_headers(next(sent for sent in answers if sent[0]["status"] == 503))
    page = next(sent[1]["body"].decode() for sent in answers if sent[0]["status"] == 503)
    assert (status, headers[b"retry-after"], headers[b"cache-control"]) == (503, b"1", b"no-store")
    assert headers[b"content-type"] == b"text/html; charset=utf-8"
    assert b"default-src 'none'" in headers[b"content-security-policy"]
    assert "<h1>Temporarily unavailable</h1>" in page
    assert '<html lang="en" dir="ltr">' in page
    assert '<a href="?next=/account/%22">Try again</a>' in page


@pytest.mark.parametrize(
    "headers",
    [
        [(b"accept", b"application/json"), (b"content-type", b"application/json")],
        [(b"accept", b"*/*"), (b"content-type", b"application/x-www-form-urlencoded")],
        [(b"accept", b"text/html"), (b"content-type", b"application/json")],
        [],
    ],
    ids=["json", "a form of a program", "json of a browser", "nothing"],
)
def test_other_refused_callers_get_a_problem_document(headers: list[tuple[bytes, bytes]]) -> None:
    _gate, answers, _others = flood(40, queue=30, headers=headers)

    refused = next(sent for sent in answers if sent[0]["status"] == 503)
    assert status_and_headers(refused)[1][b"content-type"] == b"application/problem+json"
    assert json.loads(refused[1]["body"])["code"] == "unavailable"


def environ_of_form(**changed: str) -> dict[str, str]:
    return {
        "CONTENT_TYPE": "multipart/form-data; boundary=x", "HTTP_ACCEPT": "text/html", "QUERY_STRING": "", **changed,
    }  # fmt: skip


@pytest.mark.parametrize("chosen_by", ["HTTP_ACCEPT_LANGUAGE", "HTTP_COOKIE"])
def test_the_page_is_translated(chosen_by: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LANGUAGES = [("en", "English"), ("ar", "Arabic")]
    chosen = "ar" if chosen_by == "HTTP_ACCEPT_LANGUAGE" else f"{settings.LANGUAGE_COOKIE_NAME}=ar"
    monkeypatch.setattr("enterprise_auth.web_server.busy_page._", lambda text: f"{get_language()}: {text}")

    page = (busy_page(environ_of_form(**{chosen_by: chosen})) or b"").decode()

    assert '<html lang="ar" dir="rtl">' in page
    assert ">ar: Try again</a>" in page
    assert "<h1>ar: Temporarily unavailable</h1>" in page


def test_the_page_quotes_the_query_and_leaves_out_a_long_one() -> None:
    hostile = (busy_page(environ_of_form(QUERY_STRING='"><script>')) or b"").decode()
    long = (busy_page(environ_of_form(QUERY_STRING="a" * 5_000, HTTP_COOKIE="a" * 5_000)) or b"").decode()

    assert "<script>" not in hostile
    assert '<a href="?">' in long


def test_the_service_answers_refused_forms_with_the_page() -> None:
    assert served._page is busy_page


def test_refused_logins_write_one_log_line_a_second(caplog: pytest.LogCaptureFixture) -> None:
    flood(200, queue=0)

    assert len([record for record in caplog.records if "too many logins" in record.message]) <= 3


def test_a_login_that_waited_too_long_is_refused() -> None:
    gate, answers, others = flood(32, queue=30, wait=-1)

    assert [sent[0]["status"] for sent in answers] == [503] * 32
    assert gate.finished == 0
    assert [sent[0]["status"] for sent in others] == [200] * 2
