"""The statements that open and end a session on PostgreSQL.

The first one writes the device, the last login of the user and the session, in the transaction of the grant. If the
device is blocked, it writes nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connections, router
from django.db.models import Field
from django.db.models.expressions import DatabaseDefault

from auth_core.login import last_login
from auth_core.runtime import prepared_statements
from auth_core.users import UserLike
from auth_sessions.models import Device, Session

#: Columns of a session that depend on the row of its device, as expressions of the statement.
_FROM_DEVICE = {
    "device_id": "device.id",
    "device_known": "(device.has_cookie AND device.id <> CAST(%(device_id)s AS uuid))",
}


def can_open() -> bool:
    """Return whether the statement can be used: on PostgreSQL, with one database for all rows."""
    databases = {router.db_for_write(model) for model in (Session, Device, get_user_model())}
    return len(databases) == 1 and connections[databases.pop()].vendor == "postgresql"


class SeenDevice(NamedTuple):
    """The row of a device that was added or updated.

    Args:
        additions: When other devices of the user were added, the latest first, if this one was added.
    """

    device: Device
    additions: list[datetime]


def open_session(session: Session, device: Device, *, additions: int) -> SeenDevice | None:
    """Insert *session*, and insert *device* or update the user's row with the same digest. Return the device's row.

    The columns of *session* that name its device are set to those of the row. The last login of its user is stored,
    too, if the site lets Django do so. Call this inside a transaction.

    Args:
        additions: How many other devices of the user to look at, if this one is new.

    Returns:
        ``None``: the device is blocked, and nothing was written. The database checks this under the row's lock, so that
        no login passes a block that comes at the same moment.
    """
    alias = router.db_for_write(Session)
    connection: Any = connections[alias]
    user: Any = session.user
    login_field = last_login.field_to_store()
    values = {
        **_values("device", Device, device, connection),
        **_values("session", Session, session, connection),
        "additions": additions,
    }
    if login_field is not None:
        values["last_login"] = login_field.get_db_prep_save(session.last_seen_at, connection)
        values["user"] = user._meta.pk.get_db_prep_value(user.pk, connection)
    statement = _statement(alias, stores_login=login_field is not None)
    rows = prepared_statements.put(connection, statement, values, uses_before=1)
    if not rows:
        return None
    names = [field.attname for field in Device._meta.concrete_fields]
    row = Device.from_db(alias, names, rows[0][:-1])
    row.user = user
    session.device_id = row.pk
    session.device_known = row.has_cookie and row.pk != device.pk
    session._state.adding, session._state.db = False, alias
    if login_field is not None:
        last_login.note_stored(user, session.last_seen_at)
    return SeenDevice(row, rows[0][-1] or [])


class EndedSession(NamedTuple):
    """What is needed of a session that has just ended."""

    token_digest: str
    application_id: UUID | None


def end_session(*, session_id: UUID, user: UserLike, reason: str, at: datetime) -> EndedSession | None:
    """End a session of *user*, once. Of two parallel calls only one gets the session.

    Returns:
        ``None``: it had ended, it does not exist or is another user's, or the database is not PostgreSQL.
    """
    connection: Any = connections[router.db_for_write(Session)]
    if connection.vendor != "postgresql":
        return None
    key: Any = get_user_model()._meta.pk
    values = {"id": session_id, "user": key.get_db_prep_value(user.pk, connection), "reason": reason, "at": at}
    rows = prepared_statements.put(connection, _END, values, uses_before=1)
    return EndedSession(*rows[0]) if rows else None


_END = (
    f"UPDATE {Session._meta.db_table} SET ended_at = %(at)s, ended_reason = %(reason)s"  # noqa: S608 - a name of our own model
    " WHERE id = %(id)s AND user_id = %(user)s AND ended_at IS NULL RETURNING token_digest, application_id"
)


def _values(name: str, model: Any, row: Any, connection: Any) -> dict[str, Any]:
    return {
        f"{name}_{field.attname}": field.get_db_prep_save(_value(field, row), connection)
        for field in model._meta.concrete_fields
        if (name, field.attname) not in _LEFT_OUT
    }


def _value(field: Any, row: Any) -> Any:
    """Return the value of a column. A default of the database is always a constant here."""
    value: Any = field.pre_save(row, add=True)
    # The stubs of Django lack its expression.
    default: Any = value
    return default.expression.value if isinstance(value, DatabaseDefault) else value


#: Columns of a session that the statement takes from the device.
_LEFT_OUT = frozenset(("session", name) for name in _FROM_DEVICE)


@cache
def _statement(alias: str, *, stores_login: bool) -> str:
    connection: Any = connections[alias]
    quote = connection.ops.quote_name
    device_fields, session_fields = Device._meta.concrete_fields, Session._meta.concrete_fields
    parts = [
        _SEE.format(
            table=quote(Device._meta.db_table),
            columns=_columns(device_fields, quote),
            values=", ".join(f"%(device_{field.attname})s" for field in device_fields),
        ),
        _OPEN.format(
            table=quote(Session._meta.db_table),
            columns=_columns(session_fields, quote),
            values=", ".join(_expression(field, connection) for field in session_fields),
        ),
    ]
    if stores_login:
        users = get_user_model()._meta
        # The column may be of a parent table, if the user model extends a concrete one.
        table = users.get_field("last_login").model._meta
        parts.append(
            _LOGIN.format(
                table=quote(table.db_table),
                column=quote(users.get_field("last_login").column),
                key=quote(table.pk.column),
                type=table.pk.db_type(connection),
            )
        )
    additions = _ADDITIONS.format(table=quote(Device._meta.db_table))
    return f"WITH {', '.join(parts)} SELECT {_columns(device_fields, quote)}, {additions} FROM device"  # noqa: S608 - names of models


def _columns(fields: "Sequence[Field[Any, Any]]", quote: Any) -> str:
    return ", ".join(quote(field.column) for field in fields)


def _expression(field: "Field[Any, Any]", connection: Any) -> str:
    """Return the value of a column. Without a type PostgreSQL would take a parameter of SELECT for a text."""
    expression = _FROM_DEVICE.get(field.attname)
    # A cast to varchar(n) would truncate a text that is too long. The assignment to the column refuses it.
    kind = str(field.db_type(connection))
    return expression or f"CAST(%(session_{field.attname})s AS {'text' if kind.startswith('varchar') else kind})"


_SEE = """device AS (
  INSERT INTO {table} AS stored ({columns}) VALUES ({values})
  ON CONFLICT (user_id, digest) DO UPDATE SET
    last_seen_at = excluded.last_seen_at, kind = excluded.kind, os = excluded.os, browser = excluded.browser
  WHERE stored.blocked_at IS NULL
  RETURNING {columns}
)"""

#: The statement does not see the row that it inserts itself, so these are the others.
_ADDITIONS = """CASE WHEN device.id = CAST(%(device_id)s AS uuid) THEN ARRAY(
  SELECT others.first_seen_at FROM {table} AS others WHERE others.user_id = device.user_id
  ORDER BY others.first_seen_at DESC LIMIT %(additions)s
) END"""

_OPEN = """session AS (INSERT INTO {table} ({columns}) SELECT {values} FROM device)"""

_LOGIN = """login AS (
  UPDATE {table} SET {column} = %(last_login)s
  WHERE {key} = CAST(%(user)s AS {type}) AND EXISTS (SELECT 1 FROM device)
)"""
