"""Requests to addresses that an attacker may have chosen."""

import contextlib
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import certifi
import pytest

from auth_core.runtime import http_client
from auth_core.runtime.http_client import OutboundFailed, OutboundRefused, fetch
from auth_core.testing.certificates import self_signed


class Peer(BaseHTTPRequestHandler):
    """A local server whose path selects its behaviour."""

    hosts: list[str] = []

    def do_GET(self) -> None:
        Peer.hosts.append(self.headers["Host"])
        self.send_response(302 if self.path == "/redirect" else 200)
        if self.path == "/redirect":
            self.send_header("Location", "http://127.0.0.1:1/inside")
        self.end_headers()
        if self.path == "/long":
            self.wfile.write(b"x" * 100_000)
        else:
            self.wfile.write(b"hello")

    def log_message(self, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture
def peer() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Peer.hosts = []
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def speaker() -> Iterator[Callable[[Iterator[bytes]], str]]:
    """A peer that sends the given parts every 50 ms, without reading the request."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def say(parts: Iterator[bytes]) -> None:
        connection, _address = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(4096)
            for part in parts:
                connection.sendall(part)
                time.sleep(0.05)

    def start(parts: Iterator[bytes]) -> str:
        threads.append(threading.Thread(target=say, args=(parts,), daemon=True))
        threads[0].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield start
    listener.close()


@pytest.fixture
def tls_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, list[str]]]:
    """A server with a trusted certificate for good.example: its port, and the requested names."""
    pair = tmp_path / "good.pem"
    pair.write_bytes(self_signed("good.example"))
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(pair))
    named: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    context.sni_callback = lambda connection, name, context: named.append(name)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    server.handle_error = lambda *args: None  # type: ignore[method-assign]  # a client that leaves is the case
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port, named
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def allowed(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOUND_ALLOWED_NETWORKS": ["127.0.0.0/8", "::1/128"]}


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://10.0.0.1/", "https://169.254.169.254/",
        "https://0x7f.1/", "https://2130706433/", "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/", "https://192.168.1.1/", "https://0.0.0.0/", "https://224.0.0.1/", "https://100.64.0.1/",
        "http://93.184.216.34/", "file:///etc/passwd", "gopher://127.0.0.1/", "https://user:pass@93.184.216.34/",
        "https:///x", "https://93.184.216.34:99999/", "//93.184.216.34/", "", "https://[", "https://[::7f00:1]/",
        "https://[fec0::1]/", "https://[5f00::1]/", "https://[::ffff:0:7f00:1]/", "https://93.184.216.34\\@127.0.0.1/",
        "https://93.184.216.34\n/", " https://93.184.216.34/", "https://93.184.216.34/a b",
    ],
)  # fmt: skip
@pytest.mark.asvs("1.3.6")
def test_an_internal_address_is_refused(url: str) -> None:
    with pytest.raises(OutboundRefused):
        fetch(url)


def test_nothing_is_sent_to_a_refused_address(peer: str) -> None:
    with pytest.raises(OutboundRefused):
        fetch(peer)

    assert Peer.hosts == []


def test_a_name_with_one_internal_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: entries)

    with pytest.raises(OutboundRefused):
        fetch("https://both.example/")


def test_a_name_is_resolved_once(peer: str, allowed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(peer.rpartition(":")[2])
    answers = [[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]]
    real = socket.getaddrinfo

    def rebinding(host: str, *args: Any, **kwargs: Any) -> Any:
        return real(host, *args, **kwargs) if host == "127.0.0.1" else answers.pop()

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)

    answer = fetch(f"http://rebinding.example:{port}/")

    assert answer.body == b"hello"
    assert Peer.hosts == [f"rebinding.example:{port}"]


@pytest.mark.asvs("15.3.2")
def test_a_redirect_is_returned_and_not_followed(peer: str, allowed: None) -> None:
    assert fetch(f"{peer}/redirect").status == 302


def test_a_long_answer_is_not_read_to_its_end(peer: str, allowed: None) -> None:
    with pytest.raises(OutboundFailed, match="too long"):
        fetch(f"{peer}/long")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"",
    ],
)
def test_a_broken_answer_fails(answer: bytes, allowed: None, speaker: Callable[[Iterator[bytes]], str]) -> None:
    with pytest.raises(OutboundFailed):
        fetch(speaker(iter([answer])))


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"HTTP/1.1 200 OK\r\nX: ", b"a"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"a"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b""),
    ],
)
def test_a_slow_peer_is_cut_off_at_any_point(
    first: bytes, then: bytes, allowed: None, settings: Any, speaker: Callable[[Iterator[bytes]], str]
) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOUND_TIMEOUT": timedelta(seconds=0.4)}
    address = speaker(itertools.chain([first], itertools.repeat(then, 1000)))
    began = time.monotonic()

    with pytest.raises(OutboundFailed):
        fetch(address)

    assert time.monotonic() - began < 25, "all parts take 50 seconds"


def test_without_the_watchdog_a_slow_peer_would_not_be_cut_off(
    allowed: None, settings: Any, speaker: Callable[[Iterator[bytes]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOUND_TIMEOUT": timedelta(seconds=0.2)}
    monkeypatch.setattr(http_client._Watch, "_shut", lambda self: None)
    address = speaker(itertools.chain([b"HTTP/1.1 200 OK\r\nX: "], itertools.repeat(b"a", 12), [b"\r\n\r\n"]))
    began = time.monotonic()

    with pytest.raises(OutboundFailed):
        fetch(address)

    assert time.monotonic() - began > 0.5, "the planted defect must be caught"


def test_a_silent_name_server_does_not_block(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOUND_TIMEOUT": timedelta(seconds=0.2)}
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answered.wait(10))

    with pytest.raises(OutboundFailed):
        fetch("https://silent.example/")

    answered.set()


@pytest.mark.parametrize(("name", "is_theirs"), [("good.example", True), ("other.example", False)])
def test_the_certificate_must_match_the_name(
    name: str, is_theirs: bool, allowed: None, tls_peer: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, named = tls_peer
    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: [entry])

    if is_theirs:
        assert fetch(f"https://{name}:{port}/").body == b"hello"
    else:
        with pytest.raises(OutboundFailed, match="SSLError"):
            fetch(f"https://{name}:{port}/")

    assert named == [name]


def test_a_certificate_of_an_unknown_issuer_is_refused(
    allowed: None, tls_peer: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, _named = tls_peer
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", certifi.where())

    with pytest.raises(OutboundFailed, match="SSLError"):
        fetch(f"https://localhost:{port}/")


def test_a_site_may_have_a_certificate_authority_of_its_own(
    allowed: None, tls_peer: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    port, _named = tls_peer
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", certifi.where())
    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: [entry])

    settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOUND_CA_FILE": str(tmp_path / "good.pem")}

    assert fetch(f"https://good.example:{port}/").body == b"hello"
    with pytest.raises(OutboundFailed, match="SSLError"):
        fetch(f"https://other.example:{port}/")


def test_a_proxy_from_the_environment_is_ignored(peer: str, allowed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert fetch(peer).body == b"hello"


def test_a_peer_that_does_not_answer_fails(allowed: None) -> None:
    with pytest.raises(OutboundFailed):
        fetch("http://127.0.0.1:1/")


def test_without_the_address_check_the_request_would_be_sent(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "_is_allowed", lambda address, encrypted: True)

    assert fetch(peer).status == 200, "the planted defect must be caught"
