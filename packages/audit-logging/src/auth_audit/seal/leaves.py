"""Leaves: the hash of an entry as it is stored."""

from datetime import UTC
from typing import Any
from uuid import UUID

from auth_audit.append import macs
from auth_audit.models import AuditEntry
from auth_audit.offline_verifier import canonical_json, leaf_hash

#: Numbers from here on have no canonical form (RFC 8785), and are written as text.
_LARGEST = 2**53


def leaf(entry: AuditEntry) -> bytes:
    """Return the leaf hash of *entry* as it is stored.

    Raises:
        ValueError: It has a value that this package never writes.
    """
    return leaf_hash(canonical_json(content(entry)))


def content(entry: AuditEntry) -> dict[str, Any]:
    """Return the columns of *entry* that are not empty, as JSON values. This is what is hashed and exported.

    A column that a later version adds is empty in every existing entry, so it changes no leaf.

    Raises:
        ValueError: See `leaf`.
    """
    columns = {name: _plain(value) for name, value in macs.covered_columns(entry).items()}
    columns["recorded_at"] = entry.recorded_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if entry.transaction_id is not None:
        columns["transaction_id"] = str(entry.transaction_id)
    return {**columns, "mac": entry.mac}


def _plain(value: object) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if isinstance(value, int | float) and not -_LARGEST < value < _LARGEST:
        return str(value)
    return value
