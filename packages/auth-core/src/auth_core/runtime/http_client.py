"""HTTP requests to other services, whose address an attacker may have chosen (ASVS 1.3.6, 15.3.2).

The host is resolved once, every address is checked, and the connection goes to the checked address. A name that
resolves differently the second time (DNS rebinding) is not resolved again.
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
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import SplitResult, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from auth_core.conf import core
from auth_core.text import Pattern

if TYPE_CHECKING:
    from requests import PreparedRequest

_CHUNK = 8192
_PORTS = {"https": 443, "http": 80}

#: Excludes characters that parsers interpret differently in a URL: spaces, controls, the backslash.
_UNAMBIGUOUS = Pattern(r"[^\x00-\x20\x7f\\]+", at_most=2048)

#: The public addresses of IPv6 (RFC 4291 section 2.4). `is_global` alone accepts ``::7f00:1`` and ``fec0::``.
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class OutboundRefused(Exception):
    """The address is not allowed."""


class OutboundFailed(Exception):
    """The service did not answer in time, or its answer cannot be used."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The response of a service.

    Args:
        status: HTTP status. Redirects are not followed.
        headers: Header fields, by name.
        body: At most `OUTBOUND_MAX_BYTES`.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def fetch(
    url: str, *, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Send a request to another service.

    Raises:
        OutboundRefused: the URL is not https, or its address is not public.
        OutboundFailed: no answer within `OUTBOUND_TIMEOUT`, or one that is too long or broken.
    """
    parts = _split(url)
    with _Watch(core.OUTBOUND_TIMEOUT) as watch, requests.Session() as session:
        address = _allowed_address(str(parts.hostname), _port(parts), encrypted=parts.scheme == "https", watch=watch)
        # A proxy or password of the environment must not be used for an address that others chose.
        session.trust_env = False
        session.verify = core.OUTBOUND_CA_FILE or True
        # Only this adapter remains. A URL that requests parses differently has no adapter and is not sent unpinned.
        session.adapters.clear()
        session.mount(f"{parts.scheme}://", _Pinned(str(parts.hostname), address, watch))
        try:
            with session.request(
                method,
                url,
                data=body,
                # No compression, because its size is known too late: a kilobyte becomes a megabyte.
                headers={"Accept-Encoding": "identity", **(headers or {})},
                timeout=watch.remaining,
                allow_redirects=False,
                stream=True,
            ) as response:
                return Answer(response.status_code, dict(response.headers), _read(response, watch))
        except (requests.RequestException, HTTPError, OSError) as problem:
            raise OutboundFailed(type(problem).__name__) from problem


class _Watch:
    """The deadline of a request, at which it ends in any state.

    Every byte renews the timeout of a socket. A server that sends one byte of its headers per second would hold a
    worker for hours. The sockets are therefore shut down from outside.
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
    def remaining(self) -> float:
        """Remaining seconds. Slightly more than zero, because zero would mean not to wait at all."""
        return max(self._until - time.monotonic(), 0.001)

    @property
    def is_over(self) -> bool:
        """Whether the deadline has passed. The end of a body after it may come from our own shutdown."""
        return time.monotonic() >= self._until

    def add(self, connected: socket.socket) -> socket.socket:
        """Watch a socket. A TLS handshake on it has the remaining time."""
        self._sockets.append(connected)
        connected.settimeout(self.remaining)
        return connected

    def _shut(self) -> None:
        for connected in self._sockets:
            # The socket may be closed, or wrapped for TLS. The wrapped one is in the list as well.
            with suppress(OSError):
                socket.socket.shutdown(connected, socket.SHUT_RDWR)


class _Watched:
    """Mixin for connections of urllib3 that adds their sockets to the watch."""

    watch: _Watch
    sock: socket.socket

    def _new_conn(self) -> socket.socket:
        return self.watch.add(super()._new_conn())  # type: ignore[misc]  # mixed into urllib3's connections

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]  # as above
        self.watch.add(self.sock)


class _Pinned(HTTPAdapter):
    """Connects to one address, regardless of what the name resolves to now. Certificate and Host use the name."""

    def __init__(self, host: str, address: str, watch: _Watch) -> None:
        self._host = host
        self._watch = watch
        self._address = f"[{address}]" if ":" in address else address
        super().__init__(max_retries=0)

    def build_connection_pool_key_attributes(
        self, request: "PreparedRequest", verify: bool | str, cert: str | tuple[str, str] | None = None
    ) -> Any:
        """Replace the host with the address, and use the name for TLS."""
        pool_key: Any
        tls_options: Any
        pool_key, tls_options = super().build_connection_pool_key_attributes(request, verify, cert)
        pool_key["host"] = self._address
        if pool_key["scheme"] == "https":
            tls_options |= {"server_hostname": self._host, "assert_hostname": self._host}
        return pool_key, tls_options

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """Return a pool whose connections are watched."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = type("Watched", (_Watched, pool.ConnectionCls), {"watch": self._watch})
        return pool

    def add_headers(self, request: Any, **kwargs: Any) -> None:
        """Set the Host header to the name."""
        request.headers.setdefault("Host", urlsplit(request.url).netloc.rpartition("@")[2])


def _split(url: str) -> SplitResult:
    """Split *url*. Refuse it unless it is unambiguously ``https://host``."""
    try:
        parts = urlsplit(url)
    except ValueError as problem:
        raise OutboundRefused("The URL is invalid.") from problem
    if (
        not _UNAMBIGUOUS.fullmatch(url)
        or parts.scheme not in _PORTS
        or not parts.hostname
        or parts.username is not None
    ):
        raise OutboundRefused("The URL must have the form https://host.")
    return parts


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or _PORTS[parts.scheme]
    except ValueError as problem:
        raise OutboundRefused("The port is invalid.") from problem


def _allowed_address(host: str, port: int, *, encrypted: bool, watch: _Watch) -> str:
    """Return an allowed address of *host*. One forbidden address refuses the whole name."""
    try:
        entries = _resolve(host, port, watch)
    except (OSError, UnicodeError) as problem:
        raise OutboundFailed("The name does not resolve.") from problem
    addresses = [str(entry[4][0]).partition("%")[0] for entry in entries]
    if not all(_is_allowed(address, encrypted=encrypted) for address in addresses):
        raise OutboundRefused("The address is not public.")
    return addresses[0]


def _resolve(host: str, port: int, watch: _Watch) -> list[Any]:
    """Resolve in a thread, because the system's resolver has no timeout. A silent name server only blocks that thread."""
    future: Future[list[Any]] = Future()

    def resolve() -> None:
        try:
            future.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as problem:
            future.set_exception(problem)

    threading.Thread(target=resolve, daemon=True).start()
    return future.result(timeout=watch.remaining)


def _is_allowed(text: str, *, encrypted: bool) -> bool:
    """Return whether an address is allowed: public and over TLS, or in an allowed network."""
    address = ipaddress.ip_address(text)
    inner = _embedded(address) or address
    if any(inner in ipaddress.ip_network(network) for network in core.OUTBOUND_ALLOWED_NETWORKS):
        return True
    is_unicast = inner.version == 4 or inner in _UNICAST  # noqa: PLR2004 - the version of the Internet Protocol
    return encrypted and is_unicast and inner.is_global and not inner.is_multicast


def _embedded(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address embedded in an IPv6 address: mapped, 6to4, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _read(response: requests.Response, watch: _Watch) -> bytes:
    """Read the body within limits of size and time. A server that sends one byte per second blocks no worker."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise OutboundFailed("The answer is compressed although the request excludes it.")
    body = b""
    while chunk := response.raw.read1(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > core.OUTBOUND_MAX_BYTES:
            raise OutboundFailed("The answer is too long.")
    if watch.is_over:
        raise OutboundFailed("The answer takes too long.")
    return body
