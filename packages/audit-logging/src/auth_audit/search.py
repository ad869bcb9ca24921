"""Searching the trail. Each filter has an index, and a time range is a range of ids."""

from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol
from uuid import UUID

from django.db.models import Q, QuerySet

from auth_audit.models import AuditEntry, PersonalKey
from auth_audit.personal import addresses
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
    partitions of the range, and the index of a filter also serves the time range. An address is found by its digest,
    which is in the row of its key.

    Raises:
        NotSearchable: See `auth_audit.personal.addresses.is_searchable`.
    """
    values = {name: getattr(filters, name, None) for name in _COLUMNS}
    entries: QuerySet[AuditEntry] = AuditEntry.objects.filter(
        _time_range(filters),
        **{_COLUMNS[name]: value for name, value in values.items() if value is not None},
    )
    if filters.network is not None:
        entries = entries.filter(id__in=_keys_within(filters.network, _time_range(filters)))
    return entries


def from_network(network: IPv4Network | IPv6Network) -> Q:
    """Return the condition for entries whose request came from *network*. It finds no entry whose key was dropped.

    Raises:
        NotSearchable: See `auth_audit.personal.addresses.is_searchable`.
    """
    return Q(id__in=_keys_within(network, Q()))


def activity_of(subject: UUID) -> "QuerySet[AuditEntry]":
    """Return the entries in which a person is the subject or the actor."""
    return AuditEntry.objects.filter(Q(subject_id=subject) | Q(actor_id=subject))


def first_id_at(moment: datetime) -> UUID:
    """Return the first id of *moment*. Ids do not exist before 1970."""
    return first_uuid7_at(max(moment, _EPOCH))


def _time_range(filters: EntryCriteria) -> Q:
    """Return the time range as a range of ids. Those of the keys are of the same time as those of their entries."""
    condition = Q()
    if filters.since is not None:
        condition &= Q(id__gte=first_id_at(filters.since))
    if filters.until is not None:
        condition &= Q(id__lt=first_id_at(filters.until))
    return condition


def _keys_within(network: IPv4Network | IPv6Network, time_range: Q) -> "QuerySet[PersonalKey, UUID]":
    """Return the ids of the keys of addresses in *network*, which are the ids of their entries."""
    return PersonalKey.objects.filter(addresses.condition(network), time_range).values_list("id", flat=True)
