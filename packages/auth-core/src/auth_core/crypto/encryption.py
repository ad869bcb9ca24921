"""Encryption of single values: AES-256-GCM, keys with ids, one derived key per purpose.

A ciphertext is ``v1.<key id>.<base64url of nonce and ciphertext>``. The purpose and a context (such as the row's id)
are authenticated with it. A value that was moved to another column or row therefore does not decrypt (ASVS 11.3.3).

Source: NIST SP 800-38D, RFC 5869 (HKDF).
"""

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

#: The prefix of every ciphertext.
VERSION = "v1"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_KEY_ID = Pattern(r"[A-Za-z0-9_-]{1,32}", at_most=32)

#: From the alphabet of base64 to that of base64url (RFC 4648 section 5), and back.
_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")


class DecryptionFailed(Exception):
    """The value cannot be decrypted.

    It was changed, or belongs to another purpose or context, or its key is gone. The error does not say which: that
    would only help an attacker.
    """


class KeysMissing(Exception):
    """``FIELD_KEYS`` has no usable key. Nothing is ever encrypted under a key that was generated here."""


def encrypt(purpose: str, plaintext: bytes, *, context: str = "") -> str:
    """Encrypt *plaintext* under the current key.

    Args:
        purpose: The kind of value, such as ``auth_core.outbox.secret``. Each purpose has its own key.
        context: Where the value belongs, such as the row's id.

    Raises:
        KeysMissing: no key is configured, or the current one is malformed.
    """
    key_id = current_key_id()
    return _encrypt(_cipher(purpose, core.FIELD_KEYS[key_id]), key_id, purpose, plaintext, context)


def decrypt(purpose: str, ciphertext: str, *, context: str = "") -> bytes:
    """Decrypt a value that `encrypt` returned.

    Raises:
        DecryptionFailed: the value was changed or moved, or its key is gone.
    """
    key_id = key_id_of(ciphertext)
    try:
        return _decrypt(_cipher(purpose, core.FIELD_KEYS[key_id]), key_id, purpose, ciphertext, context)
    except (KeyError, KeysMissing) as error:
        raise DecryptionFailed from error


def new_data_key() -> str:
    """Return a random key for values that are erased by dropping their key: 256 bits, as base64url.

    Store it encrypted, in a column of `auth_core.fields.EncryptedTextField`.
    """
    return _to_text(os.urandom(_KEY_BYTES))


def encrypt_under(data_key: str, key_id: str, purpose: str, plaintext: bytes, *, context: str = "") -> str:
    """Encrypt *plaintext* under a key of its own. The result has the form of `encrypt`, with the id of that key.

    Args:
        data_key: A key of `new_data_key`.
        key_id: Where the key is found later: at most 32 letters, digits, hyphens and underscores.
        purpose: The kind of value.
        context: Where the value belongs, such as the row's id.
    """
    return _encrypt(AESGCM(_from_text(data_key)), key_id, purpose, plaintext, context)


def decrypt_under(data_key: str, purpose: str, ciphertext: str, *, context: str = "") -> bytes:
    """Decrypt a value that `encrypt_under` returned.

    Raises:
        DecryptionFailed: the value was changed or moved, or it belongs to another key.
    """
    try:
        cipher = AESGCM(_decoded(data_key))
    except KeysMissing as error:
        raise DecryptionFailed from error
    return _decrypt(cipher, key_id_of(ciphertext), purpose, ciphertext, context)


def key_id_of(ciphertext: str) -> str:
    """Return the id of the key that *ciphertext* is under.

    Raises:
        DecryptionFailed: it is not a ciphertext of this module.
    """
    version, _dot, rest = ciphertext.partition(".")
    key_id, dot, _body = rest.partition(".")
    if version != VERSION or not dot:
        raise DecryptionFailed
    return key_id


def needs_rotation(ciphertext: str) -> bool:
    """Return whether *ciphertext* uses another key than the current one."""
    return ciphertext.split(".")[1:2] != [current_key_id()]


def current_key_id() -> str:
    """Return the id of the key that encrypts.

    Raises:
        KeysMissing: no key is configured.
    """
    if not core.FIELD_KEYS:
        raise KeysMissing("AUTH_CORE['FIELD_KEYS'] is empty.")
    return next(iter(core.FIELD_KEYS))


def key_problems() -> list[str]:
    """Return the problems of the configured keys, by id. They never contain a byte of a key."""
    keys: Any = core.FIELD_KEYS
    if not isinstance(keys, Mapping):
        return [f"expected a mapping of key ids to keys, got {type(keys).__name__}"]
    problems = [] if keys else ["no key is configured"]
    for key_id, encoded in keys.items():
        if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
            problems.append(f"{key_id!r} is not a valid key id")
        try:
            _decoded(encoded)
        except KeysMissing as problem:
            problems.append(f"key {key_id!r}: {problem}")
    return problems


def new_key() -> str:
    """Return a random key for ``FIELD_KEYS``: 32 bytes in base64url, without padding."""
    return _to_text(os.urandom(_KEY_BYTES))


def derive_key(purpose: str, encoded: str) -> bytes:
    """Return the 32 bytes for *purpose*, derived from a configured key.

    Raises:
        KeysMissing: *encoded* is not base64url of 32 bytes.
    """
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=purpose.encode()).derive(_decoded(encoded))


def _encrypt(cipher: AESGCM, key_id: str, purpose: str, plaintext: bytes, context: str) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    sealed = cipher.encrypt(nonce, plaintext, _associated_data(purpose, key_id, context))
    return f"{VERSION}.{key_id}.{_to_text(nonce + sealed)}"


def _decrypt(cipher: AESGCM, key_id: str, purpose: str, ciphertext: str, context: str) -> bytes:
    try:
        sealed = _from_text(ciphertext[len(VERSION) + len(key_id) + 2 :])
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _associated_data(purpose, key_id, context))
    except (ValueError, InvalidTag) as error:
        raise DecryptionFailed from error


@lru_cache(maxsize=256)
def _cipher(purpose: str, encoded: str) -> AESGCM:
    return AESGCM(derive_key(purpose, encoded))


def _associated_data(purpose: str, key_id: str, context: str) -> bytes:
    """Return the associated data. Length prefixes keep ``a.b`` + ``c`` apart from ``a`` + ``b.c``."""
    return _VERSION_PART + _with_length(key_id) + _with_length(purpose) + _with_length(context)


def _with_length(text: str) -> bytes:
    part = text.encode()
    return len(part).to_bytes(4, "big") + part


def _decoded(encoded: object) -> bytes:
    if not isinstance(encoded, str):
        raise KeysMissing("not a string")
    try:
        key = _from_text(encoded)
    except ValueError as error:
        raise KeysMissing("not base64url") from error
    if len(key) != _KEY_BYTES:
        raise KeysMissing(f"{len(key)} bytes instead of {_KEY_BYTES}")
    return key


def _to_text(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode()


def _from_text(text: str) -> bytes:
    """Decode strict base64url.

    Python's own decoder skips characters outside the alphabet, so that many texts would decode to one value. The value
    must therefore encode to the same text again.
    """
    body = text.rstrip("=")
    data = binascii.a2b_base64(body.encode().translate(_FROM_URL) + b"=" * (-len(body) % 4))
    if _to_text(data) != body:
        raise binascii.Error("not canonical")
    return data


_VERSION_PART = _with_length(VERSION)
