"""Reading entries with their personal values, as far as the keys of these still exist."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from django.db import router

from auth_audit.models import AuditEntry, PersonalKey
from auth_audit.personal import envelope
from auth_core.crypto.encryption import DecryptionFailed


class PersonalState(StrEnum):
    """Whether the personal values of an entry can be read."""

    #: The entry has none.
    NONE = "none"
    READABLE = "readable"
    #: At least one key was dropped. The values under it are ``None``.
    ERASED = "erased"
    #: At least one ciphertext does not decrypt under its key.
    DAMAGED = "damaged"


class OpenedPart(NamedTuple):
    """One ciphertext of an entry.

    Args:
        key: Its key. ``None`` if it was dropped, or cannot be looked up.
        values: The values. ``None`` if they cannot be read.
        is_damaged: Whether the reason is that they do not decrypt.
    """

    key: PersonalKey | None = None
    values: Mapping[str, Any] | None = None
    is_damaged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadableEntry:
    """An entry as a person reads it, with its personal values in place.

    Args:
        entry: The entry as it is stored.
        personal: Whether the personal values can be read. A value that cannot is ``None``.
        parts: The ciphertexts, opened.
    """

    entry: AuditEntry
    personal: PersonalState
    parts: tuple[OpenedPart, ...] = ()
    ip: str | None = None
    network: str | None = None
    user_agent: str | None = None
    target_id: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    bounds: Mapping[str, Any] | None = None


def read(entries: Iterable[AuditEntry], alias: str = "") -> dict[UUID, ReadableEntry]:
    """Return *entries* as they are read, by id. One query for all keys.

    Args:
        entries: The entries.
        alias: The database. Empty means the one that entries are read from.
    """
    rows = list(entries)
    keys = _keys({key_id for entry in rows for key_id in _key_ids(entry)}, alias or router.db_for_read(AuditEntry))
    return {entry.pk: _readable(entry, [_open(entry, text, keys) for text in _ciphertexts(entry)]) for entry in rows}


def read_one(entry: AuditEntry) -> ReadableEntry:
    """Return one entry as it is read."""
    return read([entry])[entry.pk]


def _ciphertexts(entry: AuditEntry) -> list[Any]:
    """Return the ciphertexts. A value of another type, which this package never stores, counts as one."""
    personal: Any = entry.personal
    return personal if isinstance(personal, list) else [personal]


def _key_ids(entry: AuditEntry) -> Iterator[UUID]:
    for ciphertext in _ciphertexts(entry):
        try:
            yield envelope.key_row_id(ciphertext)
        except DecryptionFailed:
            continue


def _keys(ids: Iterable[UUID], alias: str) -> dict[UUID, PersonalKey | None]:
    """Return the existing keys. ``None`` for a row whose values are not valid, which only SQLite stores."""
    keys = PersonalKey.objects.using(alias)
    ids = list(ids)
    try:
        return dict(keys.in_bulk(ids)) if ids else {}
    except ValueError:
        return {key_id: row for key_id in ids for row in _valid_or_none(key_id, alias)}


def _valid_or_none(key_id: UUID, alias: str) -> list[PersonalKey | None]:
    try:
        return list(PersonalKey.objects.using(alias).filter(pk=key_id))
    except ValueError:
        return [None]


def _open(entry: AuditEntry, ciphertext: object, keys: Mapping[UUID, PersonalKey | None]) -> OpenedPart:
    try:
        key_id = envelope.key_row_id(ciphertext)
        if key_id not in keys:
            return OpenedPart()
        key = keys[key_id]
        if key is None:
            return OpenedPart(is_damaged=True)
        return OpenedPart(key, envelope.decrypt_values(entry.pk, str(ciphertext), key))
    except DecryptionFailed:
        return OpenedPart(is_damaged=True)


def _readable(entry: AuditEntry, parts: list[OpenedPart]) -> ReadableEntry:
    stored = {
        "target_id": entry.target_id,
        "changes": entry.changes or {},
        "data": entry.data or {},
        "bounds": entry.bounds or {},
    }
    columns = envelope.merge(stored, *(part.values for part in parts if part.values is not None))
    return ReadableEntry(
        entry=entry,
        personal=_state_of(parts),
        parts=tuple(parts),
        ip=columns.get("ip"),
        network=columns.get("network"),
        user_agent=columns.get("user_agent"),
        target_id=columns["target_id"],
        changes=columns["changes"],
        data=columns["data"],
        bounds=columns["bounds"] or None,
    )


def _state_of(parts: list[OpenedPart]) -> PersonalState:
    if any(part.is_damaged for part in parts):
        return PersonalState.DAMAGED
    if any(part.key is None for part in parts):
        return PersonalState.ERASED
    return PersonalState.READABLE if parts else PersonalState.NONE
