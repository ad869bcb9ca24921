"""The client of a request, as far as its data can be trusted.

Source: ASVS 4.1.3 (headers of intermediaries cannot be set by the caller) and 15.3.4 (the true client address comes
from trusted proxies only).
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from django.http import HttpRequest

from auth_core.conf import core
from auth_core.memo import Memo
from auth_core.request.proxy_headers import HOP_LENGTH, Address, hops_of, parsed

if TYPE_CHECKING:
    from rest_framework.request import Request

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Maximum length of a stored user agent, in characters. Some clients send ten thousand.
_USER_AGENT_LENGTH = 512

#: Maximum length of the device cookie that is read, in characters. Ours are shorter.
_DEVICE_LENGTH = 256

#: Headers that a proxy sets about the request. The client's address is in `PROXY_HEADER`.
_HEADERS_OF_PROXIES = (
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_SSL",
)

#: The entry of `TRUSTED_PROXIES` for a proxy that connects over a Unix socket.
UNIX = "unix"


@dataclass(frozen=True, slots=True)
class Client:
    """The client of a request.

    Args:
        ip: Address, in canonical form. Empty if unknown.
        network: The unit of rate limits: an IPv4 address, or an IPv6 /64 (one household has all of it).
        user_agent: At most 512 printable characters.
        cut_user_agent: Length and SHA-256, in hex, of the complete user agent if it was truncated. Else ``None``.
        via_trusted_proxy: Whether one of our own proxies sent the request.
        device_credential: Value of the ``device`` cookie, unchecked. Empty without one.
        is_background: Whether the request says that it runs without user activity (``X-Background: 1``).
    """

    ip: str = ""
    network: str = ""
    user_agent: str = ""
    via_trusted_proxy: bool = False
    device_credential: str = field(default="", repr=False)
    is_background: bool = False
    cut_user_agent: tuple[int, str] | None = None

    @property
    def wide_network(self) -> str:
        """The network that a provider may assign to one customer: an IPv6 /48 (RFC 6177).

        It contains 65,536 networks. Empty for IPv4 and for an unknown address.
        """
        return _wide_network(self.network) if ":" in self.network else ""


#: On a request: its client.
_CLIENT: Memo[Client] = Memo("auth_core.client")


def client_of(request: "HttpRequest | Request") -> Client:
    """Return the client of *request*. It is determined once per request."""
    http: HttpRequest = getattr(request, "_request", request)
    client = _CLIENT.of(http)
    if client is None:
        client = _read_client(http)
        _CLIENT.keep(http, client)
    return client


def forget_strangers_headers(request: HttpRequest) -> None:
    """Remove proxy headers unless one of our own proxies sent the request (ASVS 4.1.3).

    Django itself trusts ``SECURE_PROXY_SSL_HEADER`` from any sender.
    """
    if not client_of(request).via_trusted_proxy:
        for name in _HEADERS_OF_PROXIES:
            request.META.pop(name, None)


def _read_client(request: HttpRequest) -> Client:
    peer, proxies = request.META.get("REMOTE_ADDR", ""), tuple(core.TRUSTED_PROXIES)
    by_proxy = _is_proxy(peer[: HOP_LENGTH + 1], proxies)
    address = _forwarded_address(request, _trusted(proxies)) if by_proxy else None
    address = address or parsed(peer)
    ip, network = _texts_of(address)
    user_agent = request.META.get("HTTP_USER_AGENT", "")
    printable = _printable(user_agent)
    return Client(
        ip=ip,
        network=network,
        user_agent=printable[:_USER_AGENT_LENGTH],
        via_trusted_proxy=by_proxy,
        device_credential=request.COOKIES.get(core.DEVICE_COOKIE, "")[:_DEVICE_LENGTH],
        is_background=request.META.get("HTTP_X_BACKGROUND", "") == "1",
        cut_user_agent=_digest(user_agent) if max(len(user_agent), len(printable)) > _USER_AGENT_LENGTH else None,
    )


def _forwarded_address(request: HttpRequest, trusted: Iterable[Network]) -> Address | None:
    """Return the rightmost address that is not one of our proxies.

    Entries further left may come from the caller. An entry without an address ends the search: it does not come from our
    proxies, or they do not say who the client is, so only the peer's address is certain.
    """
    header = request.META.get("HTTP_" + core.PROXY_HEADER.upper().replace("-", "_"), "")
    for address in hops_of(header, name=core.PROXY_HEADER):
        if address is None:
            return None
        if not _is_in(address, trusted):
            return address
    return None


@lru_cache(maxsize=1024)
def _texts_of(address: Address | None) -> tuple[str, str]:
    """Return an address and its network as text."""
    if address is None:
        return "", ""
    if address.version == 4:  # noqa: PLR2004 - the version of the Internet Protocol
        return str(address), str(address)
    return str(address), str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


@lru_cache(maxsize=1024)
def _wide_network(network: str) -> str:
    return str(ipaddress.IPv6Network(network).supernet(new_prefix=48))


@lru_cache(maxsize=1024)
def _is_proxy(peer: str, proxies: tuple[str, ...]) -> bool:
    """Return whether *peer*, the far end of the connection, is one of our own proxies. It has no address on a Unix socket."""
    return (not peer and UNIX in proxies) or _is_in(parsed(peer), _trusted(proxies))


def _is_in(address: Address | None, networks: Iterable[Network]) -> bool:
    return address is not None and any(address in network for network in networks)


@lru_cache(maxsize=8)
def _trusted(networks: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(network) for network in networks if network != UNIX)


def _printable(text: str) -> str:
    """Escape characters that control a log or terminal: line ends, escapes, bidirectional overrides (ASVS 16.4.1)."""
    shown = text[:_USER_AGENT_LENGTH]
    if shown.isprintable():
        return shown
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in shown)


def _digest(text: str) -> tuple[int, str]:
    """Return the length and the digest of a truncated text, for the trail."""
    return len(text), sha256(text.encode(errors="surrogatepass")).hexdigest()
