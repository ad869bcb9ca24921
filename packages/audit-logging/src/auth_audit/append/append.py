"""Appending: one INSERT in the open transaction, without a lock that two writers would share.

Changes that do not fit into one entry are split over several, each with its own INSERT.
"""

from functools import cache
from typing import Any

from auth_audit.append import change_parts, column_values, django_logins, insert_statement, macs
from auth_audit.append.bounds import Bounds, digest_of
from auth_audit.models import AuditEntry
from auth_core.events import Event
from auth_core.ids import uuid7
from auth_core.people.lookup import identity_of
from auth_core.request.client import Client
from auth_core.request.context import current
from auth_core.users import UserLike


def append(event: Event) -> None:
    """Append *event*. An exception rolls back the change that the event records.

    Raises:
        DatabaseError: The entry could not be written.
        KeysMissing: The entry could not be signed.
    """
    bounds = Bounds()
    row = _row_of(event, bounds)
    if not event.changes:
        insert_statement.insert(macs.with_mac({**row, "id": str(uuid7()), "changes": {}, "bounds": bounds.to_json()}))
        return
    parts = change_parts.split_changes(event.changes)
    ids = [str(uuid7()) for _part in parts]
    whole = {"of": len(parts), "first": ids[0], "sha256": digest_of(change_parts.merge_parts(parts))}
    for number, (entry_id, part) in enumerate(zip(ids, parts, strict=True), 1):
        part.bounds.add(bounds)
        part_note = {"part": {"number": number, **whole}} if len(parts) > 1 else {}
        columns = {"id": entry_id, "changes": part.changes, "bounds": part.bounds.to_json(**part_note)}
        insert_statement.insert(macs.with_mac({**row, **columns}))


def _row_of(event: Event, bounds: Bounds) -> dict[str, Any]:
    """Return the columns that all entries of *event* share: texts, JSON objects, or ``None`` for empty."""
    context = current()
    client = event.client or context.client or Client()
    kind, target = django_logins.target_of(event)
    return {
        "name": event.name.value,
        "severity": event.name.severity.value,
        "retention": event.name.retention.name.lower(),
        "outcome": event.outcome.value,
        "reason": _text("reason", event.reason, bounds),
        "subject_id": _public_id(event.subject),
        "actor_id": _public_id(event.actor),
        "on_behalf_of": _public_id(event.on_behalf_of),
        "session_id": _id(event.session),
        "application_id": _id(event.application),
        "target_kind": _text("target_kind", kind, bounds),
        "target_id": _text("target_id", target, bounds),
        "data": column_values.json_object(event.data, bounds, "data"),
        "ip": column_values.address(client.ip),
        "network": _text("network", client.network, bounds),
        "user_agent": _user_agent(client, bounds),
        "correlation_id": _text("correlation_id", context.correlation_id, bounds),
        "client_request_id": _text("client_request_id", context.client_request_id, bounds),
    }


def _public_id(user: UserLike | None) -> str | None:
    """Return the public id of *user*."""
    return None if user is None or user.pk is None else str(identity_of(user).subject_id)


def _id(value: object) -> str | None:
    return None if value is None else str(value)


def _user_agent(client: Client, bounds: Bounds) -> str:
    """Return the user agent. If it was truncated when the request was read, note that."""
    if client.cut_user_agent is not None:
        bounds.note_digest("user_agent", *client.cut_user_agent)
    return _text("user_agent", client.user_agent, bounds)


def _text(name: str, value: str, bounds: Bounds) -> str:
    """Return *value* truncated to its column. PostgreSQL would refuse a longer text, and SQLite would keep it."""
    return column_values.text(value, _max_length(name), bounds, name)


@cache
def _max_length(name: str) -> int:
    field: Any = AuditEntry._meta.get_field(name)
    return int(field.max_length)
