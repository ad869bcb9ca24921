"""Searching the trail: each filter has its index, and time is asked of the key."""

from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value

from auth_audit.models import AuditEntry
from auth_core.ids import first_uuid7_at

_EPOCH = datetime.fromtimestamp(0, tz=UTC)

#: Filters, and the columns they ask.
_COLUMNS = {
    "name": "name",
    "subject": "subject_id",
    "actor": "actor_id",
    "session": "session_id",
    "correlation_id": "correlation_id",
    "outcome": "outcome",
}

_SQLITE_FUNCTION = "auth_audit_is_within"


def search(filters: Any) -> "QuerySet[AuditEntry]":
    """Return the entries that *filters* let through.

    Time is asked of the key, which is made of it: so partitions are pruned, and one index serves.
    """
    asked = {name: getattr(filters, name, None) for name in _COLUMNS}
    entries: QuerySet[AuditEntry] = AuditEntry.objects.filter(
        **{_COLUMNS[name]: value for name, value in asked.items() if value is not None}
    )
    if filters.since is not None:
        entries = entries.filter(id__gte=first_id_at(filters.since))
    if filters.until is not None:
        entries = entries.filter(id__lt=first_id_at(filters.until))
    if filters.network is not None:
        entries = _within(entries, filters.network)
    return entries


def activity_of(subject: UUID) -> "QuerySet[AuditEntry]":
    """Return what happened to somebody, and what they did."""
    return AuditEntry.objects.filter(Q(subject_id=subject) | Q(actor_id=subject))


def first_id_at(moment: datetime) -> UUID:
    """Return the first id of *moment*; before 1970 none can be made, and nothing had happened."""
    return first_uuid7_at(max(moment, _EPOCH))


class _IsWithin(Func):
    function = _SQLITE_FUNCTION
    output_field = BooleanField()


def _within(entries: "QuerySet[AuditEntry]", network: IPv4Network | IPv6Network) -> "QuerySet[AuditEntry]":
    """Addresses sort as numbers in PostgreSQL's type, so that a network is a range; SQLite keeps text."""
    connection = connections[entries.db]
    if connection.vendor == "postgresql":
        return entries.filter(ip__gte=str(network[0]), ip__lte=str(network[-1]))
    connection.ensure_connection()
    connection.connection.create_function(_SQLITE_FUNCTION, 2, _is_within, deterministic=True)
    return entries.filter(_IsWithin(F("ip"), Value(str(network))))


def _is_within(address: str | None, network: str) -> bool:
    if address is None:
        return False
    kind = IPv6Network if ":" in network else IPv4Network
    return ip_address(address) in kind(network)
