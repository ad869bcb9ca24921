"""The keys of an issuer in this process: loaded once, renewed before they expire, and never as often as callers like.

A caller chooses key ids, and the issuer chooses lifetimes. Neither may cause more than a request per `KEYS_COOLDOWN`, apart
from the first one and from retries while the issuer does not answer.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

from joserfc.jwk import Key

from auth_core.oauth_resource.conf import resource
from auth_core.oauth_resource.errors import Unavailable
from auth_core.oauth_resource.issuers.documents import IssuerFailed, discover, endpoint_in, fetch_document
from auth_core.oauth_resource.issuers.issuer import Issuer
from auth_core.oauth_resource.tokens.public_keys import PublicKeys
from auth_core.runtime.cache_headers import allowed_lifetime

logger = logging.getLogger("auth_core.oauth_resource")

#: How long keys are used at least, regardless of `Cache-Control`.
_SHORTEST = timedelta(minutes=1)

#: The part of their lifetime after which one request renews them, while the others use them.
_EARLY = 0.8

#: How long an issuer that failed is not asked again.
_RETRY_AFTER = timedelta(seconds=10)


class WouldWait(Exception):
    """The answer needs another service or the database, and the caller must not wait. It asks again in a thread."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """Keys, and the moments at which they are renewed and expire, in seconds of the monotonic clock."""

    keys: PublicKeys
    renew_at: float
    expires_at: float


class KeyCache:
    """The keys of one issuer.

    Args:
        issuer: The issuer.
    """

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None
        self._jwks_uri = issuer.jwks_uri
        #: When an unknown key id loaded the keys, and when the issuer failed since they were last loaded.
        self._asked_at: float | None = None
        self._failed_at: float | None = None

    def find(self, kid: str | None, algorithm: str, *, may_wait: bool = True) -> Key | None:
        """Return the key with the id *kid* for *algorithm*, or ``None``. An unknown id loads the keys once.

        Raises:
            Unavailable: there are no keys that may be used, or the issuer does not answer whether this one is its own.
            WouldWait: the issuer must be asked, and the caller may not wait.
        """
        before = self._loaded
        loaded = self._current(may_wait=may_wait)
        key = loaded.keys.find(kid, algorithm)
        if key is not None or loaded is not before:
            return key
        if self._may_ask():
            if not may_wait:
                raise WouldWait
            key = self._load_for_unknown(loaded).keys.find(kid, algorithm)
        if key is None and self._failed_at is not None:
            raise Unavailable
        return key

    def _current(self, *, may_wait: bool) -> _Loaded:
        loaded, now = self._loaded, monotonic()
        if loaded is not None and now < loaded.renew_at:
            return loaded
        if loaded is not None and now < loaded.expires_at:
            # One request renews them. The others do not wait for it.
            if may_wait and self._may_retry() and self._lock.acquire(blocking=False):
                try:
                    self._load()
                finally:
                    self._lock.release()
            return self._loaded or loaded
        if not may_wait and self._may_retry():
            raise WouldWait
        return self._renewed(loaded)

    def _renewed(self, expired: _Loaded | None) -> _Loaded:
        """Return new keys, or the expired ones while the issuer does not answer.

        Raises:
            Unavailable: the issuer does not answer, and the keys are too old or were never loaded.
        """
        # Only one request at a time waits for an issuer that is known to fail, if the others have keys to use.
        if self._lock.acquire(blocking=expired is None or self._failed_at is None):
            try:
                if self._loaded is expired and self._may_retry():
                    self._load()
            finally:
                self._lock.release()
        loaded = self._loaded
        until = 0.0 if loaded is None else loaded.expires_at + resource.KEYS_LIFETIME_IN_OUTAGE.total_seconds()
        if loaded is None or (loaded is expired and monotonic() >= until):
            raise Unavailable
        return loaded

    def _load_for_unknown(self, seen: _Loaded) -> _Loaded:
        with self._lock:
            if self._loaded is seen and self._may_ask():
                self._asked_at = monotonic()
                self._load()
            return self._loaded or seen

    def _may_ask(self) -> bool:
        return self._asked_at is None or monotonic() - self._asked_at >= resource.KEYS_COOLDOWN.total_seconds()

    def _may_retry(self) -> bool:
        return self._failed_at is None or monotonic() - self._failed_at >= _RETRY_AFTER.total_seconds()

    def _load(self) -> None:
        """Load the keys. What was loaded before stays if the issuer fails."""
        try:
            document = fetch_document(self._address())
            keys = PublicKeys(document.members)
            if not len(keys):
                raise IssuerFailed("it has no key that can be used")
        except IssuerFailed as problem:
            logger.warning("The keys of %s cannot be loaded: %s.", self._issuer.url, problem)
            self._failed_at = monotonic()
            # The address may have changed. The metadata is read again at the next attempt.
            self._jwks_uri = self._issuer.jwks_uri
            return
        now, lifetime = monotonic(), lifetime_of(document.headers).total_seconds()
        self._loaded = _Loaded(keys, now + _EARLY * lifetime, now + lifetime)
        self._failed_at = None

    def _address(self) -> str:
        if not self._jwks_uri:
            self._jwks_uri = endpoint_in(discover(self._issuer), "jwks_uri")
        return self._jwks_uri


def lifetime_of(headers: Mapping[str, str]) -> timedelta:
    """Return how long a document is used: what its cache headers allow, within a minute and `KEYS_LIFETIME`.

    Args:
        headers: Names in lower case.
    """
    allowed = allowed_lifetime(headers)
    if allowed is None:
        allowed = resource.KEYS_LIFETIME
    return max(min(allowed, resource.KEYS_LIFETIME), _SHORTEST)
