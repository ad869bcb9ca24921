"""Appending: one INSERT, in the transaction that is open, with no lock that two writers would share."""

from typing import Any
from uuid import UUID

from auth_audit import macs, storable
from auth_audit.models import AuditEntry
from auth_core.client import Client
from auth_core.context import current
from auth_core.events import Event
from auth_core.people import identity_of


def append(event: Event) -> AuditEntry:
    """Keep *event*; whatever it belongs to is undone when this fails.

    Raises:
        DatabaseError: the entry could not be written.
        KeysMissing: it could not be signed.
    """
    context = current()
    client = event.client or context.client or Client()
    kind, target = event.target or ("", "")
    entry = AuditEntry(
        name=event.name.value,
        severity=event.name.severity.value,
        retention=event.name.retention.name.lower(),
        outcome=event.outcome.value,
        reason=_column("reason", event.reason),
        subject_id=_public_id(event.subject),
        actor_id=_public_id(event.actor),
        on_behalf_of=_public_id(event.on_behalf_of),
        session_id=event.session,
        application_id=event.application,
        target_kind=_column("target_kind", kind),
        target_id=_column("target_id", target),
        data=storable.json_object(event.data),
        changes=storable.json_object(event.changes),
        ip=storable.address(client.ip),
        network=_column("network", client.network),
        user_agent=_column("user_agent", client.user_agent),
        correlation_id=_column("correlation_id", context.correlation_id),
        client_request_id=_column("client_request_id", context.client_request_id),
    )
    macs.sign(entry)
    entry.save()
    return entry


def _public_id(user: Any) -> UUID | None:
    """Return the id that the world knows *user* by; nobody has none."""
    return None if user is None or user.pk is None else identity_of(user).subject_id


def _column(name: str, value: str) -> str:
    """Return *value* as the column can hold it: SQLite would keep any length, PostgreSQL refuse the change."""
    field: Any = AuditEntry._meta.get_field(name)
    return storable.text(value, field.max_length)
