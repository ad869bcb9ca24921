"""Reading entries with their personal values, as far as the keys of these still exist."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db import connections, router
from django.db.models.expressions import RawSQL

from auth_audit.models import AuditEntry, PersonalKey
from auth_audit.personal import envelope
from auth_audit.personal.envelope import WrappedKey
from auth_core.crypto.encryption import DecryptionFailed

if TYPE_CHECKING:
    from django.db.models import QuerySet


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

    key: WrappedKey | None = None
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


class _Ciphertext(NamedTuple):
    """A ciphertext, and the id of the row of its key. ``None``: it names none."""

    text: str
    key_id: UUID | None


def with_keys(entries: "QuerySet[AuditEntry]") -> "QuerySet[AuditEntry]":
    """Return *entries*, whose statement also reads the key of each entry, for `read`.

    An entry with the values of two people has a second key, for which `read` makes its query all the same. So it does
    for all keys on other databases than PostgreSQL, because SQLite stores rows with values that are not valid.
    """
    if connections[entries.db].vendor != "postgresql":
        return entries
    keys, rows, column = PersonalKey._meta.db_table, AuditEntry._meta.db_table, PersonalKey._meta.get_field("key")
    sql = f"(SELECT key FROM {keys} WHERE {keys}.id = {rows}.id)"  # noqa: S608 - names of our own models
    return entries.annotate(**{_READ_WITH_IT: RawSQL(sql, (), output_field=column)})  # noqa: S611 - as above


#: On an entry of `with_keys`: the wrapped key with the id of the entry, or ``None``.
_READ_WITH_IT = "own_key"


def read(entries: Iterable[AuditEntry], alias: str = "") -> dict[UUID, ReadableEntry]:
    """Return *entries* as they are read, by id. One query for all keys that `with_keys` has not read.

    Args:
        entries: The entries.
        alias: The database. Empty means the one that entries are read from.
    """
    rows = [(entry, _ciphertexts(entry)) for entry in entries]
    keys = _keys_read_with([entry for entry, _parts in rows])
    needed = {each.key_id for _entry, parts in rows for each in parts if each.key_id is not None}
    keys |= _keys(needed - keys.keys(), alias or router.db_for_read(AuditEntry))
    return {entry.pk: _readable(entry, [_open(entry, each, keys) for each in parts]) for entry, parts in rows}


def read_one(entry: AuditEntry) -> ReadableEntry:
    """Return one entry as it is read."""
    return read([entry])[entry.pk]


def _ciphertexts(entry: AuditEntry) -> list[_Ciphertext]:
    """Return the ciphertexts. A value of another type, which this package never stores, counts as one."""
    personal: Any = entry.personal
    return [_Ciphertext(str(each), _key_id(each)) for each in (personal if isinstance(personal, list) else [personal])]


def _key_id(ciphertext: object) -> UUID | None:
    try:
        return envelope.key_row_id(ciphertext)
    except DecryptionFailed:
        return None


def _keys_read_with(entries: Iterable[AuditEntry]) -> dict[UUID, WrappedKey | None]:
    """Return the keys that `with_keys` has read. A missing one was dropped, and is not in the result."""
    return {
        entry.pk: WrappedKey(entry.pk, wrapped)
        for entry in entries
        if (wrapped := getattr(entry, _READ_WITH_IT, None)) is not None
    }


def _keys(ids: Iterable[UUID], alias: str) -> dict[UUID, WrappedKey | None]:
    """Return the existing keys. ``None`` for a row whose values are not valid, which only SQLite stores."""
    ids = list(ids)
    try:
        return {key.id: key for key in _wrapped_keys(alias, pk__in=ids)} if ids else {}
    except ValueError:
        return {key_id: key for key_id in ids for key in _valid_or_none(key_id, alias)}


def _valid_or_none(key_id: UUID, alias: str) -> list[WrappedKey | None]:
    try:
        return list(_wrapped_keys(alias, pk=key_id))
    except ValueError:
        return [None]


def _wrapped_keys(alias: str, **which: Any) -> Iterator[WrappedKey]:
    rows = PersonalKey.objects.using(alias).filter(**which).values_list("id", "key", "person_id", "address")
    return (WrappedKey(*row) for row in rows)


def _open(entry: AuditEntry, ciphertext: _Ciphertext, keys: Mapping[UUID, WrappedKey | None]) -> OpenedPart:
    if ciphertext.key_id is None:
        return OpenedPart(is_damaged=True)
    if ciphertext.key_id not in keys:
        return OpenedPart()
    key = keys[ciphertext.key_id]
    if key is None:
        return OpenedPart(is_damaged=True)
    try:
        return OpenedPart(key, envelope.decrypt_values(entry.pk, ciphertext.text, key))
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
