"""Appending: one INSERT, in the transaction that is open, with no lock that two writers would share."""

from functools import cache
from typing import Any

from auth_audit import django_logins, inserting, macs, storable
from auth_audit.models import AuditEntry
from auth_core.client import Client
from auth_core.context import current
from auth_core.events import Event
from auth_core.ids import uuid7
from auth_core.people import identity_of


def append(event: Event) -> None:
    """Keep *event*; whatever it belongs to is undone when this fails.

    Raises:
        DatabaseError: the entry could not be written.
        KeysMissing: it could not be signed.
    """
    inserting.insert(macs.signed(_row_of(event)))


def _row_of(event: Event) -> dict[str, Any]:
    """Return the columns of *event*'s entry: texts, JSON objects, and ``None`` for nothing; no instance is needed."""
    context = current()
    client = event.client or context.client or Client()
    kind, target = django_logins.target_of(event)
    return {
        "id": str(uuid7()),
        "name": event.name.value,
        "severity": event.name.severity.value,
        "retention": event.name.retention.name.lower(),
        "outcome": event.outcome.value,
        "reason": _text("reason", event.reason),
        "subject_id": _public_id(event.subject),
        "actor_id": _public_id(event.actor),
        "on_behalf_of": _public_id(event.on_behalf_of),
        "session_id": _id(event.session),
        "application_id": _id(event.application),
        "target_kind": _text("target_kind", kind),
        "target_id": _text("target_id", target),
        "changes": storable.json_object(event.changes),
        "data": storable.json_object(event.data),
        "ip": storable.address(client.ip),
        "network": _text("network", client.network),
        "user_agent": _text("user_agent", client.user_agent),
        "correlation_id": _text("correlation_id", context.correlation_id),
        "client_request_id": _text("client_request_id", context.client_request_id),
    }


def _public_id(user: Any) -> str | None:
    """Return the id that the world knows *user* by; nobody has none."""
    return None if user is None or user.pk is None else str(identity_of(user).subject_id)


def _id(value: Any) -> str | None:
    return None if value is None else str(value)


def _text(name: str, value: str) -> str:
    """Return *value* as the column can hold it: SQLite would keep any length, PostgreSQL refuse the change."""
    return storable.text(value, _longest(name))


@cache
def _longest(name: str) -> int:
    field: Any = AuditEntry._meta.get_field(name)
    return int(field.max_length)
