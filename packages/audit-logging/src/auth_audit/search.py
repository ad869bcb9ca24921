"""Searching the trail. Each filter has an index, and a time range is a range of ids."""

from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Protocol
from uuid import UUID

from django.db import connections
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value

from auth_audit.models import AuditEntry
from auth_core.ids import first_uuid7_at

_EPOCH = datetime.fromtimestamp(0, tz=UTC)

#: Names of filters, with the column that each compares.
_COLUMNS = {
    "name": "name",
    "subject": "subject_id",
    "actor": "actor_id",
    "session": "session_id",
    "correlation_id": "correlation_id",
    "outcome": "outcome",
}

_SQLITE_FUNCTION = "auth_audit_is_within"


class EntryCriteria(Protocol):
    """What a search compares. ``None``: any value. *since* is inclusive, *until* exclusive."""

    name: str | None
    subject: UUID | None
    actor: UUID | None
    session: UUID | None
    correlation_id: str | None
    outcome: str | None
    network: IPv4Network | IPv6Network | None
    since: datetime | None
    until: datetime | None


def search(filters: EntryCriteria) -> "QuerySet[AuditEntry]":
    """Return the entries that match *filters*.

    A time range becomes a range of ids, because an id begins with its time. So PostgreSQL reads only the
    partitions of the range, and the index of a filter also serves the time range.
    """
    values = {name: getattr(filters, name, None) for name in _COLUMNS}
    entries: QuerySet[AuditEntry] = AuditEntry.objects.filter(
        **{_COLUMNS[name]: value for name, value in values.items() if value is not None}
    )
    if filters.since is not None:
        entries = entries.filter(id__gte=first_id_at(filters.since))
    if filters.until is not None:
        entries = entries.filter(id__lt=first_id_at(filters.until))
    if filters.network is not None:
        entries = _within(entries, filters.network)
    return entries


def activity_of(subject: UUID) -> "QuerySet[AuditEntry]":
    """Return the entries in which a person is the subject or the actor."""
    return AuditEntry.objects.filter(Q(subject_id=subject) | Q(actor_id=subject))


def first_id_at(moment: datetime) -> UUID:
    """Return the first id of *moment*. Ids do not exist before 1970."""
    return first_uuid7_at(max(moment, _EPOCH))


class _IsWithin(Func):
    function = _SQLITE_FUNCTION
    output_field = BooleanField()


def _within(entries: "QuerySet[AuditEntry]", network: IPv4Network | IPv6Network) -> "QuerySet[AuditEntry]":
    """Filter by a network. PostgreSQL compares addresses as numbers. SQLite stores text, so it calls a function."""
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
