"""The MAC of each entry: it protects the entry until it is sealed.

An attacker who can write to the table but has no key can neither change an entry nor add one that verifies. The
database sets `recorded_at` and `transaction_id` after the MAC is computed, so only the seal covers them. The
MAC still covers the time of the entry in milliseconds, because its id begins with it. It covers personal values
as ciphertext, and never their key, so that the key can be dropped.
"""

import hmac
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.db.models import Count

from auth_audit.models import AuditEntry
from auth_core.conf import core
from auth_core.crypto.encryption import KeysMissing, current_key_id, derive_key

_PURPOSE = "auth_audit.entry.mac"

#: Canonical JSON: sorted keys, no spaces, one way to escape. `json.dumps` would create an encoder on each call.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str).encode

#: Columns that the database sets, and the MAC itself.
NOT_COVERED = frozenset({"mac", "recorded_at", "transaction_id"})


def with_mac(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a new entry with its MAC, under the current field key.

    Args:
        row: Columns in the form that `auth_audit.append.column_values` returns. Ids are texts.

    Raises:
        KeysMissing: There is no key. Then no entry and no change is written.
    """
    key_id = current_key_id()
    columns = {**row, "mac_key": key_id}
    return {**columns, "mac": _compute_mac(_not_empty(columns), key_id)}


def verifies(entry: AuditEntry) -> bool:
    """Return whether the MAC of *entry* is valid. Without the key of the entry it is not.

    A stored value of any kind returns a result and never raises.
    """
    try:
        # As bytes, because compare_digest accepts only ASCII texts.
        return hmac.compare_digest(entry.mac.encode(), _compute_mac(covered_columns(entry), entry.mac_key).encode())
    except (KeyError, ValueError, KeysMissing):
        return False


def mac_keys_in_use() -> Mapping[str, int]:
    """Return the number of entries for each field key. Reads the whole trail.

    A MAC cannot be made again, so a key that was used for one must be kept.
    """
    counts = AuditEntry.objects.order_by().values_list("mac_key").annotate(Count("pk"))
    return dict(counts)


def covered_columns(entry: AuditEntry) -> Mapping[str, Any]:
    """Return the columns that the MAC covers and that are not empty.

    Empty columns are left out. So a column that a later version adds breaks no existing MAC, but filling it
    afterwards does.
    """
    columns = {
        field.attname: field.value_from_object(entry)
        for field in entry._meta.concrete_fields
        if field.name not in NOT_COVERED
    }
    return _not_empty(columns)


def _not_empty(columns: Mapping[str, Any]) -> dict[str, Any]:
    # Checking for truth first saves four comparisons for most columns.
    return {name: value for name, value in columns.items() if value or value not in (None, "", {}, [])}


def _compute_mac(columns: Mapping[str, Any], key_id: str) -> str:
    """Return the MAC of the canonical JSON of *columns*."""
    return hmac.digest(_key(core.FIELD_KEYS[key_id]), _canonical(columns).encode(), "sha256").hex()


@lru_cache(maxsize=16)
def _key(encoded: str) -> bytes:
    return derive_key(_PURPOSE, encoded)
