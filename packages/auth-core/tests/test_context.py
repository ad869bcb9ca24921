"""The request id. An untrusted peer cannot choose it."""

from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.request.context import Context, bound, correlation_id, current, from_headers, to_headers

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def behind_proxy(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "TRUSTED_PROXIES": ["127.0.0.1/32"]}


def answered(**headers: str) -> str:
    answer = Browser().get("/api/v1/nowhere/", **headers)
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    return str(answer.headers["X-Request-ID"])


@pytest.mark.parametrize("headers", [{"HTTP_X_REQUEST_ID": "chosen-by-a-stranger"}, {"HTTP_TRACEPARENT": TRACEPARENT}])
def test_a_request_id_of_an_untrusted_peer_is_replaced(headers: dict[str, str]) -> None:
    assert answered(**headers) not in ("chosen-by-a-stranger", TRACE)


def test_a_request_id_of_a_trusted_proxy_is_kept(behind_proxy: None) -> None:
    assert answered(HTTP_X_REQUEST_ID="from-our-proxy-1") == "from-our-proxy-1"
    assert answered(HTTP_TRACEPARENT=TRACEPARENT) == TRACE


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_X_REQUEST_ID": "short"},
        {"HTTP_X_REQUEST_ID": "x" * 65},
        {"HTTP_X_REQUEST_ID": "with a space"},
        {"HTTP_X_REQUEST_ID": "line\nforged"},
        {"HTTP_TRACEPARENT": f"ff-{TRACE}-00f067aa0ba902b7-01"},
        {"HTTP_TRACEPARENT": f"00-{'0' * 32}-00f067aa0ba902b7-01"},
        {"HTTP_TRACEPARENT": f"00-{TRACE}-{'0' * 16}-01"},
        {"HTTP_TRACEPARENT": TRACEPARENT.upper()},
        {"HTTP_TRACEPARENT": TRACEPARENT + "-x"},
    ],
)
def test_an_invalid_request_id_is_replaced(headers: dict[str, str], behind_proxy: None) -> None:
    assert answered(**headers) not in (*headers.values(), TRACE)


def test_every_request_has_its_own_id() -> None:
    assert answered() != answered()


def test_a_context_ends_with_its_block() -> None:
    with bound(Context(correlation_id="inside-the-block")):
        assert correlation_id() == "inside-the-block"

    assert correlation_id() != "inside-the-block"
    assert current() is current()


def test_a_task_runs_in_the_context_of_its_sender() -> None:
    with bound(Context(correlation_id="sender-12345")):
        carried = to_headers()

    assert from_headers(carried).correlation_id == "sender-12345"


@pytest.mark.parametrize("carried", [{}, {"auth_core_correlation_id": None}, {"auth_core_correlation_id": "a\nb"}])
def test_a_task_without_a_context_gets_one(carried: dict[str, Any]) -> None:
    assert len(from_headers(carried).correlation_id) == 36
