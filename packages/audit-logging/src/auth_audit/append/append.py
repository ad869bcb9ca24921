"""Appending: one statement in the open transaction, without a lock that two writers would share.

Changes that do not fit into one entry are split over several, each with its own statement. Personal values are
encrypted under keys of the entry's own, which the same statement inserts.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from auth_audit.append import change_parts, column_values, django_logins, insert_statement, macs
from auth_audit.append.bounds import Bounds, digest_of
from auth_audit.models import AuditEntry
from auth_audit.personal import envelope, fields
from auth_audit.personal.envelope import Owned
from auth_core.events import Event, store_together
from auth_core.ids import uuid7
from auth_core.people.lookup import identity_of
from auth_core.request.client import Client
from auth_core.request.context import current
from auth_core.users import UserLike

#: Maximum length of a stored user agent and of a network, in characters.
_LONGEST_USER_AGENT, _LONGEST_NETWORK = 512, 49


class _Changes(NamedTuple):
    """The changes in one entry.

    Args:
        columns: The columns ``id``, ``changes`` and ``bounds``.
        personal: The personal values among the changes.
    """

    columns: dict[str, Any]
    personal: dict[str, Any]


def append(event: Event) -> None:
    """Append *event*. An exception rolls back the change that the event records.

    In a transaction of `recorded_together` its entries are inserted by one statement at the end.

    Raises:
        DatabaseError: The entry could not be written.
        KeysMissing: The entry could not be encrypted or signed.
    """
    bounds, personal_bounds = Bounds(), Bounds()
    row = _row_of(event, bounds)
    target, personal = _target_of(event, bounds, personal_bounds)
    data, personal_data = _data_of(event, bounds, personal_bounds)
    client = _client_values(event.client or current().client or Client())
    # What the request says belongs to the person who made it, and everything else to the person it happened to.
    requester, subject = row["actor_id"] or row["subject_id"], row["subject_id"] or row["actor_id"]
    shared = _without_empty(target_id=personal, data=personal_data, bounds=personal_bounds.to_json())
    for columns, changes in _changes_of(event, bounds):
        owned = (Owned(requester, client), Owned(subject, envelope.merge(shared, changes)))
        ciphertexts, keys = envelope.encrypt_values(columns["id"], owned)
        entry = {**row, **target, **columns, "id": str(columns["id"]), "data": data, "personal": ciphertexts}
        store_together((macs.with_mac(entry), keys), insert_statement.insert_all)


def _row_of(event: Event, bounds: Bounds) -> dict[str, Any]:
    """Return the columns that all entries of *event* share: texts, or ``None`` for empty."""
    context = current()
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
        "correlation_id": _text("correlation_id", context.correlation_id, bounds),
        "client_request_id": _text("client_request_id", context.client_request_id, bounds),
    }


def _target_of(event: Event, bounds: Bounds, personal_bounds: Bounds) -> tuple[dict[str, str], str]:
    """Return the columns of the target, and its id if that is personal and so not in the columns."""
    kind, target = django_logins.target_of(event)
    is_personal = fields.is_target_personal(kind)
    target_id = _text("target_id", target, personal_bounds if is_personal else bounds)
    columns = {"target_kind": _text("target_kind", kind, bounds), "target_id": "" if is_personal else target_id}
    return columns, target_id if is_personal else ""


def _data_of(event: Event, bounds: Bounds, personal_bounds: Bounds) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return ``data`` with ``None`` for personal values, and these values."""
    personal = {name: value for name, value in event.data.items() if name in event.name.personal}
    readable = {**event.data, **dict.fromkeys(personal)} if personal else event.data
    return (
        column_values.json_object(readable, bounds, "data"),
        column_values.json_object(personal, personal_bounds, "data"),
    )


def _client_values(client: Client) -> dict[str, Any]:
    """Return what the request says about its client. If the user agent was truncated when it was read, note that."""
    bounds = Bounds()
    if client.cut_user_agent is not None:
        bounds.note_digest("user_agent", *client.cut_user_agent)
    return _without_empty(
        ip=column_values.address(client.ip),
        network=column_values.text(client.network, _LONGEST_NETWORK, bounds, "network"),
        user_agent=column_values.text(client.user_agent, _LONGEST_USER_AGENT, bounds, "user_agent"),
        bounds=bounds.to_json(),
    )


def _changes_of(event: Event, bounds: Bounds) -> Iterator[_Changes]:
    """Yield the changes for each entry of *event*: one entry, or as many as the changes need.

    The digest of all changes is personal if one of them is.
    """
    if not event.changes:
        yield _Changes({"id": uuid7(), "changes": {}, "bounds": bounds.to_json()}, {})
        return
    names = fields.personal_changes(event)
    parts = change_parts.split_changes(event.changes)
    ids = [uuid7() for _part in parts]
    whole = {"sha256": digest_of(change_parts.merge_parts(parts))}
    for number, (entry_id, part) in enumerate(zip(ids, parts, strict=True), 1):
        readable, personal = change_parts.take_personal(part, names)
        readable.bounds.add(bounds)
        position = {"number": number, "of": len(parts), "first": str(ids[0])}
        notes, personal_notes = ({"part": position}, {"part": whole}) if len(parts) > 1 else ({}, {})
        if not names:
            notes, personal_notes = envelope.merge(notes, personal_notes), {}
        yield _Changes(
            {"id": entry_id, "changes": readable.changes, "bounds": readable.bounds.to_json(**notes)},
            _without_empty(changes=personal.changes, bounds=personal.bounds.to_json(**personal_notes)),
        )


def _without_empty(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _public_id(user: UserLike | None) -> str | None:
    """Return the public id of *user*."""
    return None if user is None or user.pk is None else str(identity_of(user).subject_id)


def _id(value: object) -> str | None:
    return None if value is None else str(value)


def _text(name: str, value: str, bounds: Bounds) -> str:
    """Return *value* truncated to its column. PostgreSQL would refuse a longer text, and SQLite would keep it."""
    return column_values.text(value, _max_length(name), bounds, name)


@cache
def _max_length(name: str) -> int:
    field: Any = AuditEntry._meta.get_field(name)
    return int(field.max_length)
