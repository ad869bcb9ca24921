"""Keyed digests of IP addresses, by which entries are found while their keys exist.

The digest of an address is a sequence of digests of its networks, from the widest to the address itself. All
addresses of a network have the same beginning, so a search for a network is a range of one index. Without the
field key an address cannot be guessed from its digest, but two entries of the same network can be seen to be so.
"""

import hmac
from collections.abc import Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from django.db.models import Q

from auth_core.conf import core
from auth_core.crypto.encryption import derive_key

_PURPOSE = "auth_audit.address"

#: The prefix lengths that have a digest, by version of the Internet Protocol. An IPv6 /64 is one household. The first
#: stands for all addresses of the version.
_LEVELS: Mapping[int, tuple[int, ...]] = {
    4: (0, 8, 12, 16, 20, 24, 28, 32),
    6: (0, 32, 36, 40, 44, 48, 52, 56, 60, 64, 128),
}

#: Bytes of each digest, and of the last one. 32 bits keep the 16 parts of a network apart, 64 bits the addresses of a
#: /64.
_BYTES, _LAST_BYTES = 4, 8

#: Bytes of the digest of an IPv6 address.
_LONGEST = 48

#: Maximum number of networks with a digest that one search compares.
_MOST_PARTS = 16


def digest(address: str, key_id: str) -> bytes:
    """Return the digest of an IP address under the field key *key_id*.

    Raises:
        KeysMissing: The key is malformed.
        KeyError: There is no such key.
        ValueError: *address* is not an IP address.
    """
    return _digest(address, core.FIELD_KEYS[key_id])


def is_searchable(network: IPv4Network | IPv6Network) -> bool:
    """Return whether *network* consists of few networks that have a digest.

    For IPv4 these are /0, and /4 and longer. For IPv6 they are /0, /28 to /64, and /124 and longer.
    """
    return 1 << (_level_of(network) - network.prefixlen) <= _MOST_PARTS


def condition(network: IPv4Network | IPv6Network) -> Q:
    """Return the condition for keys whose address is in *network*, under any of the field keys.

    Raises:
        KeysMissing: A key is malformed.
        NotSearchable: See `is_searchable`.
    """
    if not is_searchable(network):
        raise NotSearchable
    matches = Q(pk__in=[])
    for encoded in core.FIELD_KEYS.values():
        for part in network.subnets(new_prefix=_level_of(network)):
            beginning = b"".join(_digests(part.network_address, part.prefixlen, encoded))
            matches |= Q(address__range=(beginning, beginning.ljust(_LONGEST, b"\xff")))
    return matches


class NotSearchable(ValueError):
    """The network is too wide, or lies between the levels that have a digest."""


def _level_of(network: IPv4Network | IPv6Network) -> int:
    """Return the shortest prefix length with a digest that is not shorter than that of *network*."""
    return next(level for level in _LEVELS[network.version] if level >= network.prefixlen)


@lru_cache(maxsize=4096)
def _digest(address: str, encoded: str) -> bytes:
    parsed = ip_address(address)
    return b"".join(_digests(parsed, parsed.max_prefixlen, encoded))


def _digests(address: IPv4Address | IPv6Address, longest: int, encoded: str) -> Iterator[bytes]:
    """Yield the digests of the networks of *address*, up to the prefix length *longest*."""
    key, number = _key(encoded), int(address)
    for level in _LEVELS[address.version]:
        if level > longest:
            return
        rest = address.max_prefixlen - level
        network = f"{address.version} {number >> rest << rest:x}/{level}"
        yield hmac.digest(key, network.encode(), "sha256")[: _BYTES if rest else _LAST_BYTES]


@lru_cache(maxsize=16)
def _key(encoded: str) -> bytes:
    return derive_key(_PURPOSE, encoded)
