"""Leaves: what of an entry is hashed when it is sealed, which is all that is stored."""

from datetime import UTC
from typing import Any
from uuid import UUID

from auth_audit.append import macs
from auth_audit.models import AuditEntry
from auth_audit.offline_verifier import canonical, leaf_of

#: What has no canonical form as a number is told as text.
_LARGEST = 2**53


def leaf(entry: AuditEntry) -> bytes:
    """Return the hash of *entry* as it is stored.

    Raises:
        ValueError: it holds what no entry can: somebody wrote it past us.
    """
    return leaf_of(canonical(told(entry)))


def told(entry: AuditEntry) -> dict[str, Any]:
    """Return *entry* as it is exported and hashed: the columns that hold something, in values that JSON has.

    A column that a later version adds is empty in every entry there is, and changes no leaf.

    Raises:
        ValueError: see `leaf`.
    """
    columns = {name: _plain(value) for name, value in macs.covered(entry).items()}
    columns["recorded_at"] = entry.recorded_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if entry.transaction_id is not None:
        columns["transaction_id"] = str(entry.transaction_id)
    return {**columns, "mac": entry.mac}


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if isinstance(value, int | float) and not -_LARGEST < value < _LARGEST:
        return str(value)
    return value
