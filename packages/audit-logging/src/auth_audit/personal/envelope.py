"""Personal values under a key of their own, which is stored beside the entry and can be dropped.

The values of one person in one entry are one canonical JSON object, encrypted under a random key. That key is wrapped
under the current field key, in the row of `PersonalKey`. The ciphertext names its key. It is bound to the entry, and
the wrapped key to its row.

The values are those columns of an entry that a reader sees: ``ip``, ``network``, ``user_agent``, ``target_id``, and the
personal members of ``changes``, ``data`` and ``bounds``.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from auth_audit.models import PersonalKey
from auth_audit.personal import addresses
from auth_core.crypto.encryption import (
    DecryptionFailed,
    current_key_id,
    decrypt,
    decrypt_under,
    encrypt,
    encrypt_under,
    key_id_of,
    new_data_key,
)
from auth_core.ids import uuid7_beside

_PURPOSE = "auth_audit.personal"
_KEY_PURPOSE: str = PersonalKey._meta.get_field("key").purpose  # type: ignore[union-attr]  # an EncryptedTextField

#: Values of the request. They belong to the person who made it.
REQUEST_VALUES = frozenset({"ip", "network", "user_agent"})

#: Canonical JSON, as in `auth_audit.append.macs`.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


class Owned(NamedTuple):
    """Personal values of one person.

    Args:
        person: Public id, as text. ``None`` if the person is unknown.
        values: The values by column, without empty ones.
    """

    person: str | None
    values: Mapping[str, Any]


class WrappedKey(NamedTuple):
    """A stored key, without an instance of `PersonalKey`, which a page of entries would make for each of them.

    Args:
        id: Of its row.
        wrapped: The key, encrypted under a field key.
        person_id: Public id of the person. ``None`` also if only the key was read.
        address: Digests of the address. ``None`` also if only the key was read.
    """

    id: UUID
    wrapped: str
    person_id: UUID | None = None
    address: bytes | memoryview | None = None

    @property
    def key(self) -> str:
        """The key.

        Raises:
            DecryptionFailed: It was changed or copied from another row, or the field key is missing.
        """
        return decrypt(_KEY_PURPOSE, self.wrapped, context=str(self.id)).decode()


class KeyRow(NamedTuple):
    """The columns of a new row of `PersonalKey`, in the order of the model. The key is wrapped."""

    id: str
    person_id: str | None
    address: bytes | None
    key: str


def encrypt_values(entry_id: UUID, owned: Iterable[Owned]) -> tuple[list[str], list[KeyRow]]:
    """Encrypt the personal values of a new entry. Return the ciphertexts, and the rows of their keys.

    The values of one person share a key. The key of the address has the id of the entry, so that a search finds the
    entry by it.

    Args:
        entry_id: The id of the entry.
        owned: At most two, those of the request first.

    Raises:
        KeysMissing: There is no field key.
    """
    ciphertexts: list[str] = []
    keys: list[KeyRow] = []
    for person, values in _by_person(owned):
        key_id = uuid7_beside(entry_id) if keys else entry_id
        data_key, text = new_data_key(), _canonical(values)
        ciphertexts.append(encrypt_under(data_key, key_id.hex, _PURPOSE, text.encode(), context=str(entry_id)))
        address = addresses.digest(values["ip"], current_key_id()) if "ip" in values else None
        wrapped = encrypt(_KEY_PURPOSE, data_key.encode(), context=str(key_id))
        keys.append(KeyRow(str(key_id), person, address, wrapped))
    return ciphertexts, keys


def key_row_id(ciphertext: object) -> UUID:
    """Return the id of the row of `PersonalKey` that *ciphertext* names.

    Raises:
        DecryptionFailed: It is not a ciphertext of this package.
    """
    try:
        return UUID(hex=key_id_of(str(ciphertext)))
    except ValueError as error:
        raise DecryptionFailed from error


def decrypt_values(entry_id: UUID, ciphertext: str, key: WrappedKey) -> dict[str, Any]:
    """Return the values in a stored ciphertext.

    Raises:
        DecryptionFailed: It was changed or moved, the key is that of another one, or the field key is missing.
    """
    try:
        values = json.loads(decrypt_under(key.key, _PURPOSE, ciphertext, context=str(entry_id)))
    except ValueError as error:
        raise DecryptionFailed from error
    if not isinstance(values, dict):
        raise DecryptionFailed
    return values


def merge(*objects: Mapping[str, Any]) -> dict[str, Any]:
    """Return one object with the members of all. Objects under the same name are merged, other values replaced."""
    merged: dict[str, Any] = {}
    for each in objects:
        for name, value in each.items():
            before = merged.get(name)
            # Most columns are empty, and the check of an abstract type is slow.
            is_merged = bool(before) and isinstance(before, Mapping) and isinstance(value, Mapping)
            merged[name] = merge(before, value) if is_merged else value  # type: ignore[arg-type]  # checked above
    return merged


def _by_person(owned: Iterable[Owned]) -> list[Owned]:
    """Return the values with at most one member for each person, in order, without empty ones."""
    by_person: dict[str | None, Mapping[str, Any]] = {}
    for person, values in owned:
        if values:
            by_person[person] = merge(by_person[person], values) if person in by_person else values
    return [Owned(person, values) for person, values in by_person.items()]
