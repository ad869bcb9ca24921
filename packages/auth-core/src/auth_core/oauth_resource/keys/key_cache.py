"""The keys of an issuer or a client in this process: loaded once, renewed before they expire, never as often as callers like.

A caller chooses key ids, and the owner of the keys chooses lifetimes. Neither may cause more than a request per cooldown,
apart from the first one and from retries while the owner does not answer.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Protocol

from auth_core.oauth_resource.errors import Unavailable
from auth_core.oauth_resource.keys.documents import DocumentFailed, fetch_document
from auth_core.oauth_resource.keys.public_keys import PublicKey, PublicKeys
from auth_core.runtime.cache_headers import allowed_lifetime

logger = logging.getLogger("auth_core.oauth_resource")

#: How long keys are used at least, regardless of `Cache-Control`.
_SHORTEST = timedelta(minutes=1)

#: The part of their lifetime after which one request renews them, while the others use them.
_EARLY = 0.8


class WouldWait(Exception):
    """The answer needs another service or the database, and the caller must not wait. It asks again in a thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTimes:
    """How long keys are used, and how often they may be loaded.

    Args:
        lifetime: At most, whatever the headers of the answer say.
        in_outage: How much longer while the owner does not answer.
        cooldown: How long an unknown key id loads no keys, after one that did.
        retry_after: How long an owner that failed is not asked again.
    """

    lifetime: timedelta
    in_outage: timedelta
    cooldown: timedelta
    retry_after: timedelta


class KeySource(Protocol):
    """Who has the keys, and where."""

    @property
    def name(self) -> str:
        """The owner, for the log."""

    @property
    def times(self) -> KeyTimes:
        """How long the keys are used."""

    def address(self) -> str:
        """Return the address of the keys.

        Raises:
            DocumentFailed: it is unknown now.
        """

    def forget_address(self) -> None:
        """Find the address again at the next attempt, if it was found and not set."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """Keys, and the moments at which they are renewed and expire, in seconds of the monotonic clock."""

    keys: PublicKeys
    renew_at: float
    expires_at: float


class KeyCache:
    """The keys of one owner.

    Args:
        source: Whose they are, and where.
    """

    def __init__(self, source: KeySource) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None
        #: When an unknown key id loaded the keys, and when the owner failed since they were last loaded.
        self._asked_at: float | None = None
        self._failed_at: float | None = None

    def candidates(self, kid: str, algorithm: str, *, may_wait: bool = True) -> Sequence[PublicKey]:
        """Return the keys that may have signed with *algorithm*. An unknown *kid* loads the keys once. Empty: any id.

        Raises:
            Unavailable: there are no keys that may be used, or the owner does not answer whether this one is its own.
            WouldWait: the owner must be asked, and the caller may not wait.
        """
        before = self._loaded
        loaded = self._current(may_wait=may_wait)
        found = loaded.keys.candidates(kid, algorithm)
        if found or loaded is not before:
            return found
        if self._may_ask():
            if not may_wait:
                raise WouldWait
            found = self._load_for_unknown(loaded).keys.candidates(kid, algorithm)
        if not found and self._failed_at is not None:
            raise Unavailable
        return found

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
        """Return new keys, or the expired ones while the owner does not answer.

        Raises:
            Unavailable: the owner does not answer, and the keys are too old or were never loaded.
        """
        # Only one request at a time waits for an owner that is known to fail, if the others have keys to use.
        if self._lock.acquire(blocking=expired is None or self._failed_at is None):
            try:
                if self._loaded is expired and self._may_retry():
                    self._load()
            finally:
                self._lock.release()
        loaded = self._loaded
        until = 0.0 if loaded is None else loaded.expires_at + self._source.times.in_outage.total_seconds()
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
        return self._asked_at is None or monotonic() - self._asked_at >= self._source.times.cooldown.total_seconds()

    def _may_retry(self) -> bool:
        return (
            self._failed_at is None or monotonic() - self._failed_at >= self._source.times.retry_after.total_seconds()
        )

    def _load(self) -> None:
        """Load the keys. What was loaded before stays if that fails."""
        try:
            document = fetch_document(self._source.address())
            keys = PublicKeys(document.members)
            if not len(keys):
                raise DocumentFailed("it has no key that can be used")
        except DocumentFailed as problem:
            logger.warning("The keys of %s cannot be loaded: %s.", self._source.name, problem)
            self._failed_at = monotonic()
            self._source.forget_address()
            return
        lifetime = lifetime_of(document.headers, longest=self._source.times.lifetime).total_seconds()
        now = monotonic()
        self._loaded = _Loaded(keys, now + _EARLY * lifetime, now + lifetime)
        self._failed_at = None


def lifetime_of(headers: Mapping[str, str], *, longest: timedelta) -> timedelta:
    """Return how long a document is used: what its cache headers allow, within a minute and *longest*.

    Args:
        headers: Names in lower case.
        longest: Also used if the headers say nothing.
    """
    allowed = allowed_lifetime(headers)
    if allowed is None:
        allowed = longest
    return max(min(allowed, longest), _SHORTEST)
