"""Requests to other services, of which an attacker may have chosen the address (ASVS 1.3.6, 15.3.2).

The host is resolved once, every address is judged, and the connection goes to the
address that was judged: a name that answers differently the second time (DNS
rebinding) is not asked a second time.
"""

import ipaddress
import socket
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from auth_core.conf import core
from auth_core.text import Pattern

_CHUNK = 8192
_PORTS = {"https": 443, "http": 80}

#: Characters at which two readers of one address may differ about its host: spaces, controls, the backslash.
_UNAMBIGUOUS = Pattern(r"[^\x00-\x20\x7f\\]+", at_most=2048)

#: Where the public addresses of IPv6 are (RFC 4291 section 2.4); `is_global` alone lets ``::7f00:1`` and ``fec0::`` pass.
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class OutboundRefused(Exception):
    """The address is none that we may ask."""


class OutboundFailed(Exception):
    """The service did not answer in time, or not in a form that is read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Args:
        status: HTTP status; redirects are not followed.
        headers: Header fields, by name.
        body: At most `OUTBOUND_MAX_BYTES`.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def fetch(
    url: str, *, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Ask another service.

    Raises:
        OutboundRefused: not https, or an address of the inside.
        OutboundFailed: no answer within `OUTBOUND_TIMEOUT`, too long an answer, a broken one.
    """
    parts = _split(url)
    with _Watch(core.OUTBOUND_TIMEOUT) as watch, requests.Session() as session:
        address = _judged(str(parts.hostname), _port(parts), encrypted=parts.scheme == "https", watch=watch)
        # Neither a proxy nor a password of the environment is meant for an address that others chose.
        session.trust_env = False
        # No other adapter is left: a URL that requests reads differently finds none, and is not sent unpinned.
        session.adapters.clear()
        session.mount(f"{parts.scheme}://", _Pinned(str(parts.hostname), address, watch))
        try:
            with session.request(
                method,
                url,
                data=body,
                # A compressed answer is counted only when it is too late: a kilobyte becomes a megabyte.
                headers={"Accept-Encoding": "identity", **(headers or {})},
                timeout=watch.left,
                allow_redirects=False,
                stream=True,
            ) as response:
                return Answer(response.status_code, dict(response.headers), _read(response, watch))
        except (requests.RequestException, HTTPError, OSError) as problem:
            raise OutboundFailed(type(problem).__name__) from problem


class _Watch:
    """The moment at which a request is over, whatever it is doing then.

    Every byte renews the timeout of a socket. A server that sends its headers a byte
    a second would hold a worker for hours, so that the sockets are shut from outside.
    """

    def __init__(self, allowed: timedelta) -> None:
        self._until = time.monotonic() + allowed.total_seconds()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(allowed.total_seconds(), self._shut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._timer.cancel()

    @property
    def left(self) -> float:
        """Seconds that are left; a little more than none, because zero would mean not to wait at all."""
        return max(self._until - time.monotonic(), 0.001)

    @property
    def is_over(self) -> bool:
        """Whether the time is up; an end of the body after it may be our own cut."""
        return time.monotonic() >= self._until

    def add(self, connected: socket.socket) -> socket.socket:
        """Watch a socket; a TLS handshake on it has what is left."""
        self._sockets.append(connected)
        connected.settimeout(self.left)
        return connected

    def _shut(self) -> None:
        for connected in self._sockets:
            # Closed meanwhile; or wrapped for TLS, and the wrapping is in the list as well.
            with suppress(OSError):
                socket.socket.shutdown(connected, socket.SHUT_RDWR)


class _Watched:
    """What a connection of urllib3 does besides: show its sockets to the watch."""

    watch: _Watch
    sock: socket.socket

    def _new_conn(self) -> socket.socket:
        return self.watch.add(super()._new_conn())  # type: ignore[misc]  # mixed into urllib3's connections

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]  # as above
        self.watch.add(self.sock)


class _Pinned(HTTPAdapter):
    """Connects to one address, whatever the name resolves to now; certificate and Host stay the name's."""

    def __init__(self, host: str, address: str, watch: _Watch) -> None:
        self._host = host
        self._watch = watch
        self._address = f"[{address}]" if ":" in address else address
        super().__init__(max_retries=0)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        """Put the address in place of the host, and the name into TLS."""
        place: Any
        context: Any
        place, context = super().build_connection_pool_key_attributes(request, verify, cert)
        place["host"] = self._address
        if place["scheme"] == "https":
            context |= {"server_hostname": self._host, "assert_hostname": self._host}
        return place, context

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """Return a pool whose connections are watched."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = type("Watched", (_Watched, pool.ConnectionCls), {"watch": self._watch})
        return pool

    def add_headers(self, request: Any, **kwargs: Any) -> None:
        """Name the host that is meant."""
        request.headers.setdefault("Host", urlsplit(request.url).netloc.rpartition("@")[2])


def _split(url: str) -> SplitResult:
    """Take *url* apart; refused is what is not ``https://host`` beyond doubt."""
    try:
        parts = urlsplit(url)
    except ValueError as problem:
        raise OutboundRefused("The address is none.") from problem
    if (
        not _UNAMBIGUOUS.fullmatch(url)
        or parts.scheme not in _PORTS
        or not parts.hostname
        or parts.username is not None
    ):
        raise OutboundRefused("The address is not https://host.")
    return parts


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or _PORTS[parts.scheme]
    except ValueError as problem:
        raise OutboundRefused("The port is none.") from problem


def _judged(host: str, port: int, *, encrypted: bool, watch: _Watch) -> str:
    """Return an address of *host* that may be asked; one that may not refuses the whole name."""
    try:
        found = _resolve(host, port, watch)
    except (OSError, UnicodeError) as problem:
        raise OutboundFailed("The name does not resolve.") from problem
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if not all(_is_allowed(address, encrypted=encrypted) for address in addresses):
        raise OutboundRefused("The address is inside.")
    return addresses[0]


def _resolve(host: str, port: int, watch: _Watch) -> list[Any]:
    """Ask the system's resolver, which has no timeout of its own: a name server that is silent keeps only a thread."""
    found: Future[list[Any]] = Future()

    def ask() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as problem:
            found.set_exception(problem)

    threading.Thread(target=ask, daemon=True).start()
    return found.result(timeout=watch.left)


def _is_allowed(text: str, *, encrypted: bool) -> bool:
    """Say whether an address may be asked: a public one over TLS, or one of a network that settings allow."""
    address = ipaddress.ip_address(text)
    inner = _embedded(address) or address
    if any(inner in ipaddress.ip_network(network) for network in core.OUTBOUND_ALLOWED_NETWORKS):
        return True
    is_unicast = inner.version == 4 or inner in _UNICAST  # noqa: PLR2004 - the version of the Internet Protocol
    return encrypted and is_unicast and inner.is_global and not inner.is_multicast


def _embedded(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 one leads to: mapped, 6to4, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _read(response: requests.Response, watch: _Watch) -> bytes:
    """Read a bounded body in a bounded time: a server that sends a byte a second keeps nobody."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise OutboundFailed("The answer is compressed, which nobody asked for.")
    read = b""
    while chunk := response.raw.read1(_CHUNK, decode_content=False):
        read += chunk
        if len(read) > core.OUTBOUND_MAX_BYTES:
            raise OutboundFailed("The answer is too long.")
    if watch.is_over:
        raise OutboundFailed("The answer takes too long.")
    return read
