"""The public keys of applications: of their policy, or fetched from an address of theirs.

Fetched keys are kept for an hour. An unknown key id fetches them again, because the application may have rotated, but at most
once a minute: callers choose key ids.
"""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache

from auth_core.oauth.errors import Unavailable
from auth_core.oauth.proofs.signed_text import PublicKey, read_public_key
from auth_core.runtime.http_client import OutboundFailed, OutboundRefused, fetch

#: How long fetched keys are used, and how soon they may be fetched again. A failure waits as long.
_LIFETIME = timedelta(hours=1)
_COOLDOWN = timedelta(minutes=1)

#: Most keys of one application, and most addresses that this process remembers.
_MOST_KEYS = 100
_MOST_ADDRESSES = 1024

_OK = 200


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
            return _matching(_stored_keys(self.jwks), kid, algorithm)
        fetched = _fetched_keys(self.jwks_uri)
        found = _matching(fetched.current(), kid, algorithm)
        return found or _matching(fetched.renewed(), kid, algorithm)


def parse_keys(text: str) -> Sequence[PublicKey]:
    """Return the usable public keys of a key set in JSON. Others are left out, and a text that is no key set has none."""
    try:
        members = json.loads(text)["keys"] if text else []
    except (ValueError, TypeError, KeyError, RecursionError):
        return ()
    if not isinstance(members, list):
        return ()
    return tuple(key for jwk in members[:_MOST_KEYS] if (key := read_public_key(jwk)) is not None)


@lru_cache(maxsize=256)
def _stored_keys(text: str) -> Sequence[PublicKey]:
    return parse_keys(text)


@dataclass(slots=True)
class _FetchedKeys:
    """The keys at one address. One request fetches them, and others wait for it."""

    address: str
    keys: Sequence[PublicKey] = ()
    fetched_at: float | None = None
    tried_at: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def current(self) -> Sequence[PublicKey]:
        """Return the keys, fetched within the hour."""
        return self.keys if _is_within(self.fetched_at, _LIFETIME) else self.renewed()

    def renewed(self) -> Sequence[PublicKey]:
        """Fetch the keys again, unless that was tried within the minute. Return those that are known then.

        Raises:
            Unavailable: the last try failed, and the keys from before are too old.
        """
        with self.lock:
            if not _is_within(self.tried_at, _COOLDOWN):
                self.tried_at = time.monotonic()
                self._fetch()
            if not _is_within(self.fetched_at, _LIFETIME):
                raise Unavailable("The keys of the client cannot be fetched.")
            return self.keys

    def _fetch(self) -> None:
        try:
            answer = fetch(self.address, headers={"Accept": "application/json, application/jwk-set+json"})
            if answer.status == _OK:
                self.keys, self.fetched_at = parse_keys(answer.body.decode()), time.monotonic()
        except (OutboundFailed, OutboundRefused, UnicodeDecodeError):
            # What was fetched before stays in use until its hour is over.
            return


_lock = threading.Lock()
_addresses: dict[str, _FetchedKeys] = {}


def forget_fetched_keys() -> None:
    """Fetch all keys again at their next use in this process. For tests."""
    _addresses.clear()


def _fetched_keys(address: str) -> _FetchedKeys:
    with _lock:
        if address not in _addresses and len(_addresses) >= _MOST_ADDRESSES:
            del _addresses[next(iter(_addresses))]
        return _addresses.setdefault(address, _FetchedKeys(address))


def _is_within(moment: float | None, period: timedelta) -> bool:
    return moment is not None and time.monotonic() - moment < period.total_seconds()


def _matching(keys: Sequence[PublicKey], kid: str, algorithm: str) -> Sequence[PublicKey]:
    return [key for key in keys if algorithm in key.algorithms and (not kid or key.kid == kid)]
