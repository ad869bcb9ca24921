"""The keys that sign checkpoints. They come from settings and are never generated.

Without keys of its own, the trail derives them from the field keys, which every service has. That protects
against an attacker who has only the database. Separate keys also protect against one who has a web process,
which needs no key to append or to verify.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from auth_audit.conf import audit
from auth_audit.offline_verifier import from_base64url
from auth_core.conf import core
from auth_core.crypto.encryption import KeysMissing, derive_key

_PURPOSE = "auth_audit.checkpoint.signature"

#: Prefix of the id of a derived key. The id of a field key contains no dot.
_DERIVED = "field."

_KEY_BYTES = 32


class SigningKey(NamedTuple):
    """The signing key and its id."""

    id: str
    key: Ed25519PrivateKey


def signing_key() -> SigningKey:
    """Return the key that signs.

    Raises:
        KeysMissing: There is no key, or it is malformed.
    """
    keys = _private_keys()
    if not keys:
        raise KeysMissing("AUTH_AUDIT['SIGNING_KEYS'] and AUTH_CORE['FIELD_KEYS'] contain no key.")
    key_id, seed = next(iter(keys.items()))
    return SigningKey(key_id, _private_key(seed))


def trusted_keys() -> dict[str, bytes]:
    """Return the trusted public keys by id.

    Raises:
        KeysMissing: A key is malformed.
    """
    public_keys = {key_id: _public_key(seed) for key_id, seed in _private_keys().items()}
    return {key_id: _decode(key_id, text) for key_id, text in audit.VERIFYING_KEYS.items()} | public_keys


def problems() -> list[str]:
    """Return the errors of the configured keys. They never contain key material."""
    try:
        signing_key()
        for key in trusted_keys().values():
            Ed25519PublicKey.from_public_bytes(key)
    except KeysMissing as error:
        return [str(error)]
    return []


def _private_keys() -> Mapping[str, bytes]:
    if audit.SIGNING_KEYS:
        return {key_id: _decode(key_id, text) for key_id, text in audit.SIGNING_KEYS.items()}
    return {f"{_DERIVED}{key_id}": _derive(text) for key_id, text in core.FIELD_KEYS.items()}


def _decode(key_id: str, text: str) -> bytes:
    try:
        key = from_base64url(text)
    except ValueError as error:
        raise KeysMissing(f"Key {key_id!r} is not base64url.") from error
    if len(key) != _KEY_BYTES:
        raise KeysMissing(f"Key {key_id!r} has {len(key)} bytes instead of {_KEY_BYTES}.")
    return key


@lru_cache(maxsize=16)
def _derive(text: str) -> bytes:
    return derive_key(_PURPOSE, text)


@lru_cache(maxsize=16)
def _private_key(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


@lru_cache(maxsize=16)
def _public_key(seed: bytes) -> bytes:
    return _private_key(seed).public_key().public_bytes_raw()
