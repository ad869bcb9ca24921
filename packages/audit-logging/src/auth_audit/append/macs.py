"""The keyed MAC on each entry: it covers the seconds before the entry is sealed.

Whoever can write the table but has not our keys can neither change an entry nor make
one that verifies. Of what the database alone sets, `recorded_at` and `transaction_id`,
nothing is known when the entry is signed: they are the sealer's to cover. The moment
of the entry is covered all the same, to the millisecond: its id begins with it.
"""

import hmac
import json
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from auth_audit.models import AuditEntry
from auth_core.conf import core
from auth_core.crypto.encryption import KeysMissing, current_key_id, derive_key

_PURPOSE = "auth_audit.entry.mac"

#: The canonical text: sorted keys, no spaces, nothing escaped two ways. Made once: `json.dumps` makes an encoder a call.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str).encode

#: Set by the database when it stores the entry, or the MAC itself.
NOT_COVERED = frozenset({"mac", "recorded_at", "transaction_id"})


def signed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a new entry with its MAC, under the current field key.

    Args:
        row: Columns in the one form that `auth_audit.append.column_values` gives them; ids are texts.

    Raises:
        KeysMissing: there is no key; without one nothing is recorded, and so nothing is changed.
    """
    key_id = current_key_id()
    whole = {**row, "mac_key": key_id}
    return {**whole, "mac": _mac(_filled(whole), key_id)}


def verifies(entry: AuditEntry) -> bool:
    """Say whether *entry* is as it was appended; an entry under a key that is gone is not.

    Whoever can write the table can write nonsense: it is an answer here, never an error.
    """
    try:
        # Bytes: of two texts compare_digest wants ASCII.
        return hmac.compare_digest(entry.mac.encode(), _mac(covered(entry), entry.mac_key).encode())
    except (KeyError, ValueError, KeysMissing):
        return False


def covered(entry: AuditEntry) -> Mapping[str, Any]:
    """Return the columns that the MAC covers and that hold something.

    What is empty is left out: so a column that a later version adds, empty in every
    entry there is, breaks no MAC, and filling it afterwards does.
    """
    columns = {
        field.attname: field.value_from_object(entry)
        for field in entry._meta.concrete_fields
        if field.name not in NOT_COVERED
    }
    columns["ip"] = str(ip_address(entry.ip)) if entry.ip else None  # the database has a spelling of its own
    return _filled(columns)


def _filled(columns: Mapping[str, Any]) -> dict[str, Any]:
    # What is true is not empty: asking that first spares most columns four comparisons.
    return {name: value for name, value in columns.items() if value or value not in (None, "", {}, [])}


def _mac(columns: Mapping[str, Any], key_id: str) -> str:
    """Make the MAC over one canonical text."""
    return hmac.digest(_key(core.FIELD_KEYS[key_id]), _canonical(columns).encode(), "sha256").hex()


@lru_cache(maxsize=16)
def _key(encoded: str) -> bytes:
    return derive_key(_PURPOSE, encoded)
