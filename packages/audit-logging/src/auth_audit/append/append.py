"""Appending: one INSERT, in the transaction that is open, with no lock that two writers would share.

Changes that do not fit into one entry are kept in several, each with an INSERT of its own.
"""

from functools import cache
from typing import Any

from auth_audit.append import change_parts, column_values, django_logins, inserting, macs
from auth_audit.append.bounds import Bounds, digest_of
from auth_audit.models import AuditEntry
from auth_core.events import Event
from auth_core.ids import uuid7
from auth_core.people.lookup import identity_of
from auth_core.request.client import Client
from auth_core.request.context import current


def append(event: Event) -> None:
    """Keep *event*; whatever it belongs to is undone when this fails.

    Raises:
        DatabaseError: the entry could not be written.
        KeysMissing: it could not be signed.
    """
    bounds = Bounds()
    row = _row_of(event, bounds)
    if not event.changes:
        inserting.insert(macs.signed({**row, "id": str(uuid7()), "changes": {}, "bounds": bounds.to_json()}))
        return
    parts = change_parts.parts_of(event.changes)
    ids = [str(uuid7()) for _part in parts]
    whole = {"of": len(parts), "first": ids[0], "sha256": digest_of(change_parts.merged(parts))}
    for number, (entry_id, part) in enumerate(zip(ids, parts, strict=True), 1):
        part.bounds.add(bounds)
        more = {"part": {"number": number, **whole}} if len(parts) > 1 else {}
        columns = {"id": entry_id, "changes": part.changes, "bounds": part.bounds.to_json(**more)}
        inserting.insert(macs.signed({**row, **columns}))


def _row_of(event: Event, bounds: Bounds) -> dict[str, Any]:
    """Return what all entries of *event* have in common: texts, JSON objects, and ``None`` for nothing."""
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


def _public_id(user: Any) -> str | None:
    """Return the id that the world knows *user* by; nobody has none."""
    return None if user is None or user.pk is None else str(identity_of(user).subject_id)


def _id(value: Any) -> str | None:
    return None if value is None else str(value)


def _user_agent(client: Client, bounds: Bounds) -> str:
    """Return the user agent; a request's was cut when the client was found out."""
    if client.cut_user_agent is not None:
        bounds.take("user_agent", *client.cut_user_agent)
    return _text("user_agent", client.user_agent, bounds)


def _text(name: str, value: str, bounds: Bounds) -> str:
    """Return *value* as the column can hold it: SQLite would keep any length, PostgreSQL refuse the change."""
    return column_values.text(value, _longest(name), bounds, name)


@cache
def _longest(name: str) -> int:
    field: Any = AuditEntry._meta.get_field(name)
    return int(field.max_length)
