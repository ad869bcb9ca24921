"""Encryption of single values: AES-256-GCM, keys with ids, one derived key per purpose.

A ciphertext is ``v1.<key id>.<base64url of nonce and ciphertext>``. The purpose and a
context (such as the row's id) are authenticated with it, so that a value moved to
another column or row does not decrypt (ASVS 11.3.3).

Source: NIST SP 800-38D, RFC 5869 (HKDF).
"""

import base64
import binascii
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from auth_core.conf import core
from auth_core.text import Pattern

#: Begins every ciphertext.
VERSION = "v1"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_KEY_ID = Pattern(r"[A-Za-z0-9_-]{1,32}", at_most=32)


class DecryptionFailed(Exception):
    """A value was not encrypted by us, for this purpose and context, under a key that we still have.

    One error for every cause: which it was helps only whoever tampers.
    """


class KeysMissing(Exception):
    """``FIELD_KEYS`` holds no usable key; nothing is ever encrypted under a key made up here."""


def encrypt(purpose: str, plaintext: bytes, *, context: str = "") -> str:
    """Return *plaintext* encrypted under the current key.

    Args:
        purpose: What the value is, such as ``auth_core.messages.outbox.secret``; each has a key of its own.
        context: Where it belongs, such as the row's id.

    Raises:
        KeysMissing: no key is configured, or the current one is malformed.
    """
    key_id = current_key_id()
    nonce = os.urandom(_NONCE_BYTES)
    sealed = _cipher(purpose, core.FIELD_KEYS[key_id]).encrypt(nonce, plaintext, _bound(purpose, key_id, context))
    return f"{VERSION}.{key_id}.{_to_text(nonce + sealed)}"


def decrypt(purpose: str, ciphertext: str, *, context: str = "") -> bytes:
    """Return what `encrypt` was given.

    Raises:
        DecryptionFailed: changed, moved, or under a key that is gone.
    """
    try:
        version, key_id, body = ciphertext.split(".")
        if version != VERSION:
            raise DecryptionFailed
        sealed = _from_text(body)
        cipher = _cipher(purpose, core.FIELD_KEYS[key_id])
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(purpose, key_id, context))
    except (ValueError, KeyError, InvalidTag, KeysMissing) as error:
        raise DecryptionFailed from error


def needs_rotation(ciphertext: str) -> bool:
    """Say whether *ciphertext* was encrypted under another key than the current one."""
    return ciphertext.split(".")[1:2] != [current_key_id()]


def current_key_id() -> str:
    """Return the id of the key that encrypts.

    Raises:
        KeysMissing: there is none.
    """
    if not core.FIELD_KEYS:
        raise KeysMissing("AUTH_CORE['FIELD_KEYS'] is empty.")
    return next(iter(core.FIELD_KEYS))


def key_problems() -> list[str]:
    """Return what is wrong with the configured keys, by id; never a byte of a key."""
    keys: Any = core.FIELD_KEYS
    if not isinstance(keys, Mapping):
        return [f"a {type(keys).__name__} is no mapping of key ids to keys"]
    problems = [] if keys else ["there is no key"]
    for key_id, encoded in keys.items():
        if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
            problems.append(f"{key_id!r} is not a key id")
        try:
            _decoded(encoded)
        except KeysMissing as problem:
            problems.append(f"key {key_id!r}: {problem}")
    return problems


def derive_key(purpose: str, encoded: str) -> bytes:
    """Return the 32 bytes for *purpose* from a configured key.

    Raises:
        KeysMissing: *encoded* is not base64url of 32 bytes.
    """
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=purpose.encode()).derive(_decoded(encoded))


@lru_cache(maxsize=256)
def _cipher(purpose: str, encoded: str) -> AESGCM:
    return AESGCM(derive_key(purpose, encoded))


def _bound(purpose: str, key_id: str, context: str) -> bytes:
    """Return the associated data; lengths keep ``a.b`` + ``c`` apart from ``a`` + ``b.c``."""
    parts = (VERSION, key_id, purpose, context)
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)


def _decoded(encoded: Any) -> bytes:
    if not isinstance(encoded, str):
        raise KeysMissing("not text")
    try:
        key = _from_text(encoded)
    except ValueError as error:
        raise KeysMissing("not base64url") from error
    if len(key) != _KEY_BYTES:
        raise KeysMissing(f"{len(key)} bytes instead of {_KEY_BYTES}")
    return key


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_text(text: str) -> bytes:
    """Decode strictly: Python's own decoder skips what is not in the alphabet, and many texts would be one value."""
    data = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    if _to_text(data) != text.rstrip("="):
        raise binascii.Error("not canonical")
    return data
