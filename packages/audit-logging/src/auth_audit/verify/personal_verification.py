"""Verification of the personal values: that they are readable under their keys, or erased.

No MAC covers a key, so that it can be dropped. A person who can write to the table of keys can therefore also replace a
key, or file it under another person or address, so that neither an erasure nor a search finds it. A replaced key does
not decrypt, and the person and the address must be those of the entry.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from auth_audit.models import AuditEntry
from auth_audit.personal import addresses, envelope
from auth_audit.personal.envelope import WrappedKey
from auth_audit.personal.readable_entry import OpenedPart, PersonalState, ReadableEntry
from auth_audit.verify.findings import Tampering, Verification
from auth_core.crypto.encryption import KeysMissing


def verify_personal(readable: ReadableEntry, result: Verification, **details: int | UUID | None) -> None:
    """Verify the personal values of one entry, whose MAC is valid.

    Args:
        readable: The entry.
        result: Receives the findings, and counts an entry with erased values.
        details: Fields of `Finding`.
    """
    result.erased += readable.personal is PersonalState.ERASED
    for part in readable.parts:
        if why := _problem(readable.entry, part):
            result.add_finding(Tampering.CHANGED, why, **details)


def _problem(entry: AuditEntry, part: OpenedPart) -> str:
    """Return what is wrong with a part of an entry, or an empty text."""
    if part.is_damaged:
        return "its personal values do not match their key"
    if part.key is None or part.values is None:
        return ""
    if part.key.person_id != _owner_of(entry, part.values):
        return "the key of its personal values belongs to another person"
    if not _is_address_right(entry, part.key, part.values):
        return "the key of its personal values has the digest of another address"
    return ""


def _owner_of(entry: AuditEntry, values: Mapping[str, Any]) -> UUID | None:
    """Return the person whose values they are, as `auth_audit.append` decides it."""
    if envelope.REQUEST_VALUES & values.keys():
        return entry.actor_id or entry.subject_id
    return entry.subject_id or entry.actor_id


def _is_address_right(entry: AuditEntry, key: WrappedKey, values: Mapping[str, Any]) -> bool:
    try:
        expected = addresses.digest(values["ip"], entry.mac_key) if "ip" in values else None
    except (KeyError, KeysMissing, ValueError):
        return False
    return expected == (None if key.address is None else bytes(key.address))
