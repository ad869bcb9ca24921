"""The addresses that proxies add to a header, in every form that proxies send.

Source: RFC 7239 sections 4 and 6 (``Forwarded``), and the practice of proxies for ``X-Forwarded-For``: an address, an
address with a port (Azure Application Gateway, IIS), and an IPv6 address in brackets.
"""

import ipaddress
from collections.abc import Iterator
from functools import lru_cache

from auth_core.text import Pattern

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Maximum length of the header that is read. It has room for more hops than any setup has.
HEADER_LENGTH = 1024

#: The longest address with a port: an IPv6 address that ends in an IPv4 address, with a zone.
HOP_LENGTH = 128

#: The name of the header of RFC 7239, in lower case.
_FORWARDED = "forwarded"

#: An address in brackets, with or without a port.
_IN_BRACKETS = Pattern(r"\[([^\[\]]{1,64})\](?::[0-9]{1,5})?", at_most=HOP_LENGTH)

#: An IPv4 address with a port. An IPv6 address without brackets has more than one colon and no port.
_WITH_PORT = Pattern(r"([0-9.]{1,15}):[0-9]{1,5}", at_most=HOP_LENGTH)

#: A parameter of ``Forwarded``. Its value is a token or a quoted string.
_PARAMETER = Pattern(r'([A-Za-z-]{1,32})=(?:"([^"\\]{0,256})"|([^\s",;]{1,256}))', at_most=HEADER_LENGTH)


def hops_of(header: str, *, name: str) -> Iterator[Address | None]:
    """Yield the addresses in *header*, the last hop first. ``None`` for a hop that names no address.

    A hop without an address is ``unknown``, an obfuscated identifier (``_hidden``), or garbage.

    Args:
        header: The value. Several header lines are joined with commas.
        name: The name of the header, which decides its format.
    """
    read = header[-HEADER_LENGTH:]
    elements = read.split(",")
    if len(header) > HEADER_LENGTH:
        # The first element was cut. What is left of it could be another address.
        elements = elements[1:]
    for element in reversed(elements):
        yield address_of(_forwarded_for(element) if name.lower() == _FORWARDED else element.strip())


def address_of(hop: str) -> Address | None:
    """Return the address of a hop, without its port. ``None`` if it has none."""
    if (match := _IN_BRACKETS.fullmatch(hop)) is not None:
        address = parsed(match[1])
        return address if ":" in match[1] else None
    match = _WITH_PORT.fullmatch(hop)
    return parsed(hop if match is None else match[1])


def parsed(text: str) -> Address | None:
    """Parse an address without its zone. Any text may follow the ``%``, and 2^16 zones would be 2^16 clients."""
    return None if len(text) > HOP_LENGTH else _parsed(text)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Address | None:
    """Return the address. The same proxies and clients come again, and parsing takes longer than a lookup."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _forwarded_for(element: str) -> str:
    """Return the value of ``for`` in one element of ``Forwarded``. Empty if there is none, or more than one."""
    values = []
    for pair in element.split(";"):
        match = _PARAMETER.fullmatch(pair.strip())
        if match is None:
            return ""
        if match[1].lower() == "for":
            values.append(match[2] or match[3] or "")
    return values[0] if len(values) == 1 else ""
