"""SMS gateways over HTTP: their requests, successes and errors."""

import json
import logging
import threading
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import transaction

from auth_core.messages import outbox
from auth_core.messages.sms import BACKENDS, MemoryBackend, SmsBackend, Text, post_text
from auth_core.messages.sms_gateways import HttpBackend, TextNotTaken, TwilioBackend
from auth_core.models import OutboxMessage
from auth_core.runtime.http_client import OutboundFailed, OutboundRefused

NUMBER = "+431234567890"
CODE = "271828"
TEXT = Text(NUMBER, f"{CODE} is your code. Grüße & 100 %!")
TOKEN = "Zq81-hunter2-canary"
ACCOUNT = "AC" + "0a" * 16


class Gateway(BaseHTTPRequestHandler):
    """A local gateway that records requests and returns the answer of the test."""

    requests: ClassVar[list[tuple[str, Any, bytes]]] = []
    status: ClassVar[int] = 201
    answer: ClassVar[bytes] = b'{"status": "queued"}'
    released: ClassVar[threading.Event] = threading.Event()

    def do_POST(self) -> None:
        Gateway.requests.append((self.path, self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
        Gateway.released.wait(10)
        self.send_response(Gateway.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(Gateway.answer)))
        self.end_headers()
        self.wfile.write(Gateway.answer)

    def log_message(self, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture
def gateway(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    server.daemon_threads = True
    server.handle_error = lambda *args: None  # type: ignore[method-assign]  # the client may have disconnected
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    Gateway.requests, Gateway.status, Gateway.answer = [], 201, b'{"status": "queued"}'
    Gateway.released.set()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(TwilioBackend, "address", address)
    settings.AUTH_CORE = {
        **settings.AUTH_CORE,
        "OUTBOUND_ALLOWED_NETWORKS": ["127.0.0.0/8"],
        "SMS_HTTP_URL": f"{address}/send",
        "SMS_HTTP_TOKEN": TOKEN,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM": "+15005550006",
    }
    yield address
    Gateway.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


both = pytest.mark.parametrize("backend", [HttpBackend, TwilioBackend])


def send(backend: Callable[[], SmsBackend]) -> None:
    backend().send(TEXT, idempotency_key="0193-key")


def test_a_gateway_gets_number_text_and_key_as_json(gateway: str) -> None:
    send(HttpBackend)

    ((path, headers, body),) = Gateway.requests
    assert path == "/send"
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert json.loads(body) == {"to": NUMBER, "body": TEXT.body, "idempotency_key": "0193-key"}


def test_twilio_gets_a_form_with_basic_authentication(gateway: str) -> None:
    send(TwilioBackend)

    ((path, headers, body),) = Gateway.requests
    assert path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["Authorization"] == "Basic " + b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    assert parse_qs(body.decode(), strict_parsing=True) == {
        "To": [NUMBER],
        "From": ["+15005550006"],
        "Body": [TEXT.body],
    }


def test_a_messaging_service_is_sent_as_such(gateway: str, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "TWILIO_FROM": "MG" + "1b" * 16}

    send(TwilioBackend)

    form = parse_qs(Gateway.requests[0][2].decode())
    assert form["MessagingServiceSid"] == ["MG" + "1b" * 16]
    assert "From" not in form


@both
@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_2xx_response_is_a_delivery(status: int, backend: Any, gateway: str) -> None:
    Gateway.status, Gateway.answer = status, b""

    send(backend)


@both
@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 429, 500, 503])
def test_other_responses_fail_and_redirects_are_not_followed(status: int, backend: Any, gateway: str) -> None:
    Gateway.status, Gateway.answer = status, f"{NUMBER} {CODE} {TOKEN}".encode()

    with pytest.raises(TextNotTaken) as refused:
        send(backend)

    assert str(refused.value) == f"The gateway answered {status}."
    assert len(Gateway.requests) == 1


@both
def test_a_timeout_is_a_failure(backend: Any, gateway: str, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOUND_TIMEOUT": timedelta(seconds=0.3)}
    Gateway.released.clear()

    with pytest.raises(OutboundFailed):
        send(backend)


@both
def test_an_oversized_response_is_a_failure(backend: Any, gateway: str) -> None:
    Gateway.answer = b"x" * 100_000

    with pytest.raises(OutboundFailed, match="too long"):
        send(backend)


@both
def test_an_internal_address_is_not_called(backend: Any, gateway: str, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOUND_ALLOWED_NETWORKS": []}

    with pytest.raises(OutboundRefused):
        send(backend)

    assert Gateway.requests == []


def fail(backend: Any, settings: Any) -> str:
    """Send a text that fails, and return all that an error page or a log could show."""
    settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOUND_TIMEOUT": timedelta(seconds=0.3)}
    try:
        send(backend)
    except (TextNotTaken, OutboundFailed) as problem:
        return f"{problem!r} {''.join(traceback.format_exception(problem))}"
    raise AssertionError("The text was accepted.")


@both
@pytest.mark.parametrize("case", ["refused", "silent", "gone", "broken token"])
def test_an_error_shows_no_token_number_or_code(
    case: str, backend: Any, gateway: str, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    Gateway.status, Gateway.answer = 400, f"{NUMBER} {CODE} {TOKEN}".encode()
    if case == "silent":
        Gateway.released.clear()
    elif case == "gone":
        settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_HTTP_URL": "http://127.0.0.1:1/"}
    elif case == "broken token":
        settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_HTTP_TOKEN": f"{TOKEN}\r\nX: y"}

    with caplog.at_level(logging.DEBUG):
        text = fail(backend, settings)

    text += caplog.text + str([vars(record) for record in caplog.records])
    for secret in (TOKEN, NUMBER, CODE, b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()):
        assert secret not in text


def test_with_its_cause_an_error_would_show_the_token(gateway: str, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_HTTP_TOKEN": f"{TOKEN}\r\nX: y"}

    with pytest.raises(OutboundFailed) as failed:
        send(HttpBackend)

    assert failed.value.__suppress_context__
    assert failed.value.__context__ is not None
    assert TOKEN in str(failed.value.__context__.__cause__), "the planted defect must be caught"


@pytest.mark.django_db(transaction=True)
def test_a_text_goes_from_the_outbox_through_the_gateway_under_the_id_of_its_row(gateway: str, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": "http"}
    Gateway.status = 503
    with transaction.atomic():
        posted = post_text(template="code", number=NUMBER, secret={"code": CODE})

    assert not outbox.deliver(posted.pk)
    row = OutboxMessage.objects.get()
    assert (row.problem, row.settled_at) == ("TextNotTaken", None)
    Gateway.status = 201
    OutboxMessage.objects.update(due_at=posted.created_at)
    assert outbox.deliver(posted.pk)

    bodies = [json.loads(body) for _path, _headers, body in Gateway.requests]
    assert [body["idempotency_key"] for body in bodies] == [str(posted.pk)] * 2
    assert bodies[0] == bodies[1]


@pytest.mark.django_db(transaction=True)
def test_a_short_name_works_like_a_path(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": "memory"}
    MemoryBackend.sent.clear()
    with transaction.atomic():
        post_text(template="code", number=NUMBER, secret={"code": CODE})

    outbox.deliver_due()

    assert [text.number for text in MemoryBackend.sent] == [NUMBER]
    MemoryBackend.sent.clear()


@pytest.mark.django_db
@pytest.mark.parametrize("name", [*BACKENDS, *BACKENDS.values()])
def test_a_backend_with_its_settings_passes_the_checks(name: str, gateway: str, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": name}

    call_command("check")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "changes", "named"),
    [
        ("http", {"SMS_HTTP_URL": ""}, "SMS_HTTP_URL"),
        ("http", {"SMS_HTTP_URL": "sms.example.org"}, "SMS_HTTP_URL"),
        ("http", {"SMS_HTTP_URL": "https://[sms/"}, "SMS_HTTP_URL"),
        ("http", {"SMS_HTTP_URL": f"https://user:{TOKEN}@sms.example.org/"}, "SMS_HTTP_URL"),
        ("http", {"SMS_HTTP_TOKEN": ""}, "SMS_HTTP_TOKEN"),
        ("http", {"SMS_HTTP_TOKEN": f"{TOKEN}\n"}, "SMS_HTTP_TOKEN"),
        ("http", {"SMS_HTTP_TOKEN": f"{TOKEN}é"}, "SMS_HTTP_TOKEN"),
        ("twilio", {"TWILIO_ACCOUNT_SID": ""}, "TWILIO_ACCOUNT_SID"),
        ("twilio", {"TWILIO_ACCOUNT_SID": "../Accounts"}, "TWILIO_ACCOUNT_SID"),
        ("twilio", {"TWILIO_AUTH_TOKEN": ""}, "TWILIO_AUTH_TOKEN"),
        ("auth_core.messages.sms_gateways.TwilioBackend", {"TWILIO_FROM": ""}, "TWILIO_FROM"),
    ],
)
def test_a_gateway_without_its_settings_is_a_check_error(
    name: str, changes: dict[str, str], named: str, gateway: str, settings: Any
) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": name, **changes}

    with pytest.raises(SystemCheckError, match=r"auth_core\.E009") as refused:
        call_command("check")

    assert named in str(refused.value)
    assert "HINT" in str(refused.value)
    assert TOKEN not in str(refused.value)


@pytest.mark.django_db
def test_an_unused_gateway_needs_no_settings() -> None:
    call_command("check")
