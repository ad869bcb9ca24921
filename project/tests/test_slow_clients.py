"""Slow clients occupy no thread, so other clients are answered (fault F32, attack with slow bodies)."""

import socket
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from auth_core.testing.redis import OwnRedis
from live.service import Service
from live.slow_clients import KINDS, drip, is_reset, open_clients, wait_until, was_cut_off

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]

PASSWORD = "correct horse battery staple"
LOGIN = {"identifier": "alice@example.org", "password": PASSWORD, "transport": "token"}

#: Six times the threads of the service.
CLIENTS = 48
REQUESTS = 10

#: Seconds: the deadline of 10, and a margin for a busy machine.
CUT_OFF_WITHIN = 25


class SignedIn(Service):
    """The service, with the credential of a person."""

    credential = ""


@pytest.fixture(scope="module")
def service(tmp_path_factory: Any) -> Iterator[SignedIn]:
    folder = tmp_path_factory.mktemp("slow")
    with OwnRedis() as redis, SignedIn(folder, redis.url, environment={"WEB_THREADS": "4"}) as running:
        running.manage("create_user", "--email", "alice@example.org", "--verified", stdin=f"{PASSWORD}\n")
        running.credential = running.post("login/", LOGIN).json()["credential"]
        yield running


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "pipelining clients"])
def test_other_clients_are_answered_while_slow_clients_are_connected(kind: str, service: SignedIn) -> None:
    header = {"Authorization": f"Session {service.credential}"}

    with open_clients(service, kind, CLIENTS) as clients, service.session() as caller:
        health = [caller.get(f"{service.url}/health/", timeout=20).status_code for _ in range(REQUESTS)]
        login = caller.post(f"{service.url}/api/v1/login/", json=LOGIN, timeout=20)
        me = caller.get(f"{service.url}/api/v1/me/", headers=header, timeout=20)
        still_open = [client for client in clients if not was_cut_off(client)] if kind != "slow readers" else clients

    assert health == [200] * REQUESTS
    assert login.json()["status"] == "granted"
    assert me.status_code == 200
    assert len(still_open) == CLIENTS


def test_slow_clients_are_disconnected(service: Service) -> None:
    with (
        open_clients(service, "slow bodies", 10) as bodies,
        open_clients(service, "slow headers", 5) as headers,
        open_clients(service, "idle connections", 5) as idle,
        open_clients(service, "silent connections", 5) as silent,
        open_clients(service, "slow readers", 3) as readers,
        open_clients(service, "pipelining clients", 2) as pipelining,
    ):
        waiting = {"bodies": bodies, "headers": headers, "idle": idle, "silent": silent}

        def all_are_cut_off() -> bool:
            drip(waiting["bodies"])
            for kind, clients in waiting.items():
                waiting[kind] = [client for client in clients if not was_cut_off(client)]
            return not any(waiting.values()) and all(map(is_reset, [*readers, *pipelining]))

        wait_until(all_are_cut_off, CUT_OFF_WITHIN)

        assert {kind: len(clients) for kind, clients in waiting.items()} == dict.fromkeys(waiting, 0)
        assert [is_reset(reader) for reader in [*readers, *pipelining]] == [True] * 5


def test_a_slow_body_is_answered_with_a_problem(service: Service) -> None:
    with open_clients(service, "slow bodies", 1) as [client]:
        client.settimeout(CUT_OFF_WITHIN)
        answer = _all_of(client)

    head, _blank, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"content-type: application/problem+json" in head.lower()
    assert b'"code": "request_timeout"' in body


def test_http_2_is_disabled(service: Service) -> None:
    """One HTTP/2 connection opens hundreds of streams. A proxy in front may use it."""
    context = ssl.create_default_context(cafile=str(service.certificate))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", service.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as client,
    ):
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        answer = client.recv(4096)
        protocol = client.selected_alpn_protocol()

    assert protocol != "h2"
    assert not answer.startswith(b"\0\0")


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "in chunks"])
def test_a_body_that_is_too_long_is_refused_by_the_application(declared: bool, service: Service) -> None:
    body = b'{"identifier": "' + b"x" * 300_000 + b'"}'
    data = body if declared else iter([body[:200_000], body[200_000:]])

    with service.session() as caller:
        header = {"Content-Type": "application/json"}
        answer = caller.post(f"{service.url}/api/v1/login/", data=data, headers=header, timeout=20)

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


def _all_of(client: socket.socket) -> bytes:
    parts = b""
    while part := client.recv(4096):
        parts += part
    return parts
