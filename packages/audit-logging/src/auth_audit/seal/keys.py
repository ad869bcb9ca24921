"""The keys that sign checkpoints: from settings, never made up.

Without keys of its own the trail signs with ones derived from the field keys, without
which no service of ours starts. That keeps out whoever has the database alone. Keys of
its own keep out the web processes as well: they need none to append or to verify.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from auth_audit.conf import audit
from auth_audit.offline_verifier import from_text
from auth_core.conf import core
from auth_core.crypto.encryption import KeysMissing, derive_key

_PURPOSE = "auth_audit.checkpoint.signature"

#: Begins the id of a derived key; no id of a field key holds a dot.
_DERIVED = "field."

_KEY_BYTES = 32


class SigningKey(NamedTuple):
    """The key that signs, and what it is called."""

    id: str
    key: Ed25519PrivateKey


def signing_key() -> SigningKey:
    """Return the key that signs.

    Raises:
        KeysMissing: there is none, or it is malformed.
    """
    keys = _private_keys()
    if not keys:
        raise KeysMissing("Neither AUTH_AUDIT['SIGNING_KEYS'] nor AUTH_CORE['FIELD_KEYS'] holds a key.")
    key_id, seed = next(iter(keys.items()))
    return SigningKey(key_id, _private(seed))


def believed_keys() -> dict[str, bytes]:
    """Return the public keys that are believed, by id.

    Raises:
        KeysMissing: one is malformed.
    """
    own = {key_id: _public(seed) for key_id, seed in _private_keys().items()}
    return {key_id: _decoded(key_id, text) for key_id, text in audit.VERIFYING_KEYS.items()} | own


def problems() -> list[str]:
    """Return what is wrong with the configured keys; never a byte of one."""
    try:
        signing_key()
        for key in believed_keys().values():
            Ed25519PublicKey.from_public_bytes(key)
    except KeysMissing as problem:
        return [str(problem)]
    return []


def _private_keys() -> Mapping[str, bytes]:
    if audit.SIGNING_KEYS:
        return {key_id: _decoded(key_id, text) for key_id, text in audit.SIGNING_KEYS.items()}
    return {f"{_DERIVED}{key_id}": _derived(text) for key_id, text in core.FIELD_KEYS.items()}


def _decoded(key_id: str, text: str) -> bytes:
    try:
        key = from_text(text)
    except ValueError as error:
        raise KeysMissing(f"Key {key_id!r} is not base64url.") from error
    if len(key) != _KEY_BYTES:
        raise KeysMissing(f"Key {key_id!r} has {len(key)} bytes instead of {_KEY_BYTES}.")
    return key


@lru_cache(maxsize=16)
def _derived(text: str) -> bytes:
    return derive_key(_PURPOSE, text)


@lru_cache(maxsize=16)
def _private(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


@lru_cache(maxsize=16)
def _public(seed: bytes) -> bytes:
    return _private(seed).public_key().public_bytes_raw()
