"""The public keys of applications: of their policy, or fetched from an address of theirs."""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from auth_core.oauth_resource.keys.key_cache import KeyCache, KeyTimes
from auth_core.oauth_resource.keys.public_keys import PublicKey, PublicKeys

#: Fetched keys are used for an hour at most. A site that is down is asked once a minute, and so are unknown key ids.
_TIMES = KeyTimes(
    lifetime=timedelta(hours=1),
    in_outage=timedelta(0),
    cooldown=timedelta(minutes=1),
    retry_after=timedelta(minutes=1),
)

#: Most addresses that this process remembers.
_MOST_ADDRESSES = 1024


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """Where the keys of one application are.

    Args:
        jwks: The key set, as JSON.
        jwks_uri: The address of the key set, if `jwks` is empty.
    """

    jwks: str = ""
    jwks_uri: str = ""

    def candidates(self, kid: str, algorithm: str) -> Sequence[PublicKey]:
        """Return the keys that may have signed with *algorithm*. With *kid*, only those that have this id.

        Raises:
            Unavailable: there are no keys, because they cannot be fetched now.
        """
        if self.jwks or not self.jwks_uri:
            return _stored_keys(self.jwks).candidates(kid, algorithm)
        return _fetched_keys(self.jwks_uri).candidates(kid, algorithm)


def parse_keys(text: str) -> PublicKeys:
    """Return the usable public keys of a key set in JSON. A text that is no key set has none."""
    try:
        document = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        document = {}
    return PublicKeys(document if isinstance(document, dict) else {})


@lru_cache(maxsize=256)
def _stored_keys(text: str) -> PublicKeys:
    return parse_keys(text)


@dataclass(frozen=True, slots=True)
class _ClientKeySource:
    """The address that an application registered. It never changes by itself."""

    name: str
    times: KeyTimes = _TIMES

    def address(self) -> str:
        """Return the address of the keys."""
        return self.name

    def forget_address(self) -> None:
        """Keep it."""


_lock = threading.Lock()
_addresses: dict[str, KeyCache] = {}


def forget_fetched_keys() -> None:
    """Fetch all keys again at their next use in this process. For tests."""
    _addresses.clear()


def _fetched_keys(address: str) -> KeyCache:
    with _lock:
        if address not in _addresses and len(_addresses) >= _MOST_ADDRESSES:
            del _addresses[next(iter(_addresses))]
        return _addresses.setdefault(address, KeyCache(_ClientKeySource(address)))
