"""The keys of this process: which one signs, and which ones verify.

A new key is published for twice as long as clients may cache the key set before it signs, and a process keeps its copy for
half of that lifetime at most. So no process signs with a key that a client with a copy of any process does not know.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.utils import timezone
from joserfc.jwk import Key

from auth_core.crypto.encryption import DecryptionFailed
from auth_core.oauth.conf import oauth
from auth_core.oauth.keys.algorithms import InvalidKey, from_pem
from auth_core.oauth.models import SigningKey

#: How long a process uses its copy of the keys, if clients may cache them for two minutes or more.
_RELOAD_AFTER = timedelta(seconds=60)

#: How soon an unknown key id may load the keys again. Callers choose key ids.
_COOLDOWN = timedelta(seconds=5)

_END_OF_PEM = "-----END PRIVATE KEY-----"


class KeysUnusable(Exception):
    """There is no key to sign with, or one of them cannot be decrypted. Nothing is ever signed with another one."""


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """One key of the set.

    Args:
        kid: Its id.
        algorithm: The only algorithm that it is used with.
        key: The private key.
        signs_from: When it begins to sign, in Unix seconds. ``None``: it only verifies.
    """

    kid: str
    algorithm: str
    key: Key
    signs_from: float | None

    def public_jwk(self) -> dict[str, Any]:
        """Return the public key as it is published."""
        public = self.key.as_dict(private=False)
        return {**public, "kid": self.kid, "use": "sig", "alg": self.algorithm}


class KeySet:
    """The keys at one moment."""

    def __init__(self, keys: Sequence[PublishedKey]) -> None:
        self._by_kid = {key.kid: key for key in keys}
        self._loaded_at = time.monotonic()
        self._jwks = {"keys": [key.public_jwk() for key in keys]}

    @property
    def age(self) -> float:
        """How long ago it was loaded, in seconds."""
        return time.monotonic() - self._loaded_at

    @property
    def jwks(self) -> Mapping[str, Any]:
        """The public keys, for clients."""
        return self._jwks

    @property
    def algorithms(self) -> list[str]:
        """The algorithms that a key can sign with now."""
        return sorted({key.algorithm for key in self._by_kid.values() if _signs(key)})

    def signer(self, algorithm: str) -> PublishedKey:
        """Return the key that signs with *algorithm* now: the newest that may.

        Raises:
            KeysUnusable: there is none.
        """
        usable = [key for key in self._by_kid.values() if key.algorithm == algorithm and _signs(key)]
        if not usable:
            raise KeysUnusable(f"There is no signing key for {algorithm}.")
        return max(usable, key=lambda key: key.signs_from or 0)

    def find(self, kid: str) -> PublishedKey | None:
        """Return the key with this id, or ``None``."""
        return self._by_kid.get(kid)


def _signs(key: PublishedKey) -> bool:
    return key.signs_from is not None and key.signs_from <= timezone.now().timestamp()


_lock = threading.Lock()
_sets: dict[str, KeySet] = {}


def key_set() -> KeySet:
    """Return the keys of this process, at most a minute old, and at most half as old as those of a client may be.

    Raises:
        KeysUnusable: a key cannot be read.
        DatabaseError: the keys cannot be loaded, and this process has none yet.
    """
    return _loaded(min(_RELOAD_AFTER, oauth.JWKS_LIFETIME / 2))


def find_key(kid: str) -> PublishedKey | None:
    """Return the key with the id *kid*, or ``None``. An id that this process does not know loads the keys once.

    Raises:
        KeysUnusable: a key cannot be read.
    """
    key = key_set().find(kid)
    return key if key is not None else _loaded(_COOLDOWN).find(kid)


def forget_keys(**kwargs: Any) -> None:
    """Load the keys again at their next use in this process."""
    _sets.clear()
    _parsed.cache_clear()


def load_keys() -> KeySet:
    """Load the keys, past the copy of this process.

    Raises:
        KeysUnusable: a key cannot be read.
        DatabaseError: as in Django.
    """
    return KeySet(list(_configured() if oauth.SIGNING_KEYS else _stored()))


def _loaded(at_most: timedelta) -> KeySet:
    """Return the keys of this process. They are loaded again if they are older than *at_most*, by one thread."""
    oldest = at_most.total_seconds()
    keys = _sets.get(oauth.SIGNING_KEYS)
    if keys is not None and keys.age <= oldest:
        return keys
    with _lock:
        keys = _sets.get(oauth.SIGNING_KEYS)
        if keys is None or keys.age > oldest:
            keys = load_keys()
            _sets.clear()
            _sets[oauth.SIGNING_KEYS] = keys
        return keys


@lru_cache(maxsize=32)
def _parsed(pem: str) -> tuple[Key, tuple[str, ...]]:
    """Return the key in *pem*. An RSA key takes 50 ms and more, for which all tokens would wait each minute.

    Raises:
        InvalidKey: it is none.
    """
    return from_pem(pem)


def _stored() -> Iterator[PublishedKey]:
    moment = timezone.now()
    for row in SigningKey.objects.order_by("created_at"):
        if row.published_until is not None and row.published_until <= moment:
            continue
        try:
            key, algorithms = _parsed(row.private_key)
        except (DecryptionFailed, InvalidKey) as problem:
            raise KeysUnusable(f"The signing key {row.kid} cannot be read: {type(problem).__name__}.") from problem
        if row.algorithm not in algorithms:
            raise KeysUnusable(f"The signing key {row.kid} is not for {row.algorithm}.")
        yield PublishedKey(row.kid, row.algorithm, key, row.signs_from.timestamp())


def _configured() -> Iterator[PublishedKey]:
    """Yield the keys of the operator. The first of each type signs.

    An RSA key has an id for each of its two algorithms, because a client that reads ``alg`` uses a key for one.
    """
    has_signer: set[str] = set()
    for number, text in enumerate(oauth.SIGNING_KEYS.split(_END_OF_PEM)[:-1], start=1):
        try:
            key, algorithms = from_pem(f"{text.strip()}\n{_END_OF_PEM}\n")
        except InvalidKey as problem:
            raise KeysUnusable(f"Key {number} of AUTH_OAUTH['SIGNING_KEYS'] is {problem}.") from problem
        for algorithm in algorithms:
            kid = key.thumbprint() if algorithm == algorithms[0] else f"{key.thumbprint()}-{algorithm}"
            yield PublishedKey(kid, algorithm, key, None if algorithm in has_signer else 0.0)
        has_signer.update(algorithms)
