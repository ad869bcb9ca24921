"""Clients that keep a connection open and send or read as little as possible."""

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from live.service import Service

_LOGIN = b"POST /api/v1/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
_HEADERS = b"GET /api/v1/me/ HTTP/1.1\r\nHost: localhost\r\nAccept"
_HEALTH = b"GET /health/ HTTP/1.1\r\nHost: localhost\r\n\r\n"

#: A file larger than all buffers between server and client.
_LARGE = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"


def connect(service: Service, *, room: int | None = None) -> ssl.SSLSocket:
    """Return a TLS connection to *service* with a receive buffer of *room* bytes."""
    context = ssl.create_default_context(cafile=str(service.certificate))
    plain = socket.socket()
    if room is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    plain.settimeout(20)
    plain.connect(("127.0.0.1", service.port))
    return context.wrap_socket(plain, server_hostname="localhost")


def slow_body(service: Service) -> socket.socket:
    """Send the first byte of a body. `drip` sends more."""
    client = connect(service)
    client.sendall(_LOGIN)
    return client


def slow_headers(service: Service) -> socket.socket:
    """Send part of the headers."""
    client = connect(service)
    client.sendall(_HEADERS)
    return client


def slow_reader(service: Service) -> socket.socket:
    """Request a large file and read nothing."""
    client = connect(service, room=4096)
    client.sendall(f"GET {_LARGE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return client


def pipelining(service: Service) -> socket.socket:
    """Send requests without reading responses, until the buffers are full."""
    client = connect(service, room=4096)
    client.settimeout(1)
    try:
        while True:
            client.sendall(_HEALTH * 200)
    except TimeoutError:
        client.settimeout(20)
    return client


def idle(service: Service) -> socket.socket:
    """Send one request and keep the connection open."""
    client = connect(service)
    client.sendall(_HEALTH)
    assert client.recv(4096).startswith(b"HTTP/1.1 200")
    return client


def silent(service: Service) -> socket.socket:
    """Connect without starting TLS."""
    return socket.create_connection(("127.0.0.1", service.port), timeout=20)


KINDS: dict[str, Callable[[Service], socket.socket]] = {
    "slow bodies": slow_body,
    "slow headers": slow_headers,
    "slow readers": slow_reader,
    "pipelining clients": pipelining,
    "idle connections": idle,
    "silent connections": silent,
}


@contextmanager
def open_clients(service: Service, kind: str, count: int) -> Iterator[list[socket.socket]]:
    """Open *count* clients of a kind and keep them open."""
    with ExitStack() as stack:
        yield [stack.enter_context(KINDS[kind](service)) for _number in range(count)]


def drip(clients: list[socket.socket]) -> None:
    """Send one more byte of each body. Skip disconnected clients."""
    for client in clients:
        try:
            client.sendall(b" ")
        except OSError:
            continue


def was_cut_off(client: socket.socket) -> bool:
    """Return whether the server has closed the connection or refused the request, without waiting."""
    client.setblocking(False)
    try:
        data = client.recv(4096)
        return not data or b" 408 " in data.split(b"\r\n")[0]
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    finally:
        client.setblocking(True)
        client.settimeout(20)


def is_reset(client: socket.socket) -> bool:
    """Return whether the server has dropped the connection of a client that reads nothing.

    The server drops it silently. Data sent afterwards is answered with a reset.
    """
    drip([client])
    poller = select.poll()
    poller.register(client, select.POLLERR | select.POLLHUP)
    return bool(poller.poll(0))


def wait_until(is_true: Callable[[], bool], seconds: float) -> bool:
    """Check twice a second until the condition is true or *seconds* have passed. Return its last value."""
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True
