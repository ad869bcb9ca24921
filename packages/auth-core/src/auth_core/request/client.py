"""The far end of a request, as far as it can be believed.

Source: ASVS 4.1.3 (headers of intermediaries cannot be set by the caller) and 15.3.4
(the true client address comes from trusted proxies only).
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.http import HttpRequest

from auth_core.conf import core

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Longest user agent that is kept, in characters; some send ten thousand.
_USER_AGENT_LENGTH = 512

#: Longest value of the proxy header that is looked at; more hops than that nobody has.
_HEADER_LENGTH = 1024

#: Longest device cookie that is looked at, in characters; ours are shorter.
_DEVICE_LENGTH = 256

#: What a proxy says of the request that it took; of the client's address see `PROXY_HEADER`.
_SAID_BY_PROXIES = ("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_SSL")

#: What `TRUSTED_PROXIES` calls a proxy that speaks to us over a Unix socket.
UNIX = "unix"


@dataclass(frozen=True, slots=True)
class Client:
    """Who is at the far end.

    Args:
        ip: Address, in canonical form; empty when it cannot be known.
        network: What is counted together: an IPv4 address, an IPv6 /64 (one household has all of it).
        user_agent: At most 512 printable characters.
        cut_user_agent: Characters and SHA-256, in hex, of the whole user agent where it was longer; else ``None``.
        via_trusted_proxy: One of our own proxies sent the request.
        device_credential: What its ``device`` cookie holds, unchecked; empty without one.
        is_background: The request says of itself that nobody is at the keyboard (``X-Background: 1``).
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
        """What one customer of a provider may be given: an IPv6 /48 (RFC 6177); empty for IPv4, and when it is unknown.

        Whoever has it has 65,536 networks.
        """
        return _wide_network(self.network) if ":" in self.network else ""


def client_of(request: Any) -> Client:
    """Return the client of *request*; found out once per request."""
    http: HttpRequest = getattr(request, "_request", request)
    client: Client | None = getattr(http, "_auth_core_client", None)
    if client is None:
        client = _find_out(http)
        http._auth_core_client = client  # type: ignore[attr-defined]  # noqa: SLF001 - this module owns the attribute
    return client


def forget_strangers_headers(request: HttpRequest) -> None:
    """Take out what only our own proxies may say, unless one of them sent the request (ASVS 4.1.3).

    Django itself believes ``SECURE_PROXY_SSL_HEADER`` whoever sends it.
    """
    if not client_of(request).via_trusted_proxy:
        for name in _SAID_BY_PROXIES:
            request.META.pop(name, None)


def _find_out(request: HttpRequest) -> Client:
    peer = request.META.get("REMOTE_ADDR", "")
    trusted = _trusted(tuple(core.TRUSTED_PROXIES))
    by_proxy = (not peer and UNIX in core.TRUSTED_PROXIES) or _is_in(_address(peer), trusted)
    address = _named_by_proxies(request, trusted) if by_proxy else None
    address = address or _address(peer)
    user_agent = request.META.get("HTTP_USER_AGENT", "")
    kept = _printable(user_agent)
    return Client(
        ip=str(address or ""),
        network=_network(address),
        user_agent=kept[:_USER_AGENT_LENGTH],
        via_trusted_proxy=by_proxy,
        device_credential=request.COOKIES.get(core.DEVICE_COOKIE, "")[:_DEVICE_LENGTH],
        is_background=request.META.get("HTTP_X_BACKGROUND", "") == "1",
        cut_user_agent=_digest(user_agent) if max(len(user_agent), len(kept)) > _USER_AGENT_LENGTH else None,
    )


def _named_by_proxies(request: HttpRequest, trusted: Iterable[Network]) -> Address | None:
    """Return the rightmost address that is none of our proxies.

    What stands further left, the caller may have written. An entry that is no address
    ends the search: whoever wrote it is not ours, and the peer is all we know.
    """
    header = request.META.get("HTTP_" + core.PROXY_HEADER.upper().replace("-", "_"), "")
    for hop in reversed(header[-_HEADER_LENGTH:].split(",")):
        address = _address(hop.strip())
        if address is None:
            return None
        if not _is_in(address, trusted):
            return address
    return None


def _address(text: str) -> Address | None:
    """Read an address, without its zone: behind a ``%`` any text may stand, and 2^16 zones would be 2^16 clients."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _network(address: Address | None) -> str:
    if address is None:
        return ""
    if address.version == 4:  # noqa: PLR2004 - the version of the Internet Protocol
        return str(address)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


@lru_cache(maxsize=1024)
def _wide_network(network: str) -> str:
    return str(ipaddress.IPv6Network(network).supernet(new_prefix=48))


def _is_in(address: Address | None, networks: Iterable[Network]) -> bool:
    return address is not None and any(address in network for network in networks)


@lru_cache(maxsize=8)
def _trusted(networks: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(network) for network in networks if network != UNIX)


def _printable(text: str) -> str:
    """Escape what a log or a terminal would obey: line ends, escapes, bidirectional overrides (ASVS 16.4.1)."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text[:_USER_AGENT_LENGTH])


def _digest(text: str) -> tuple[int, str]:
    """Return what the trail says of a text that was cut: how long the whole was, and its digest."""
    return len(text), sha256(text.encode(errors="surrogatepass")).hexdigest()
