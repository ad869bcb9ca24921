"""Runs the statements of decisions on the primary database, prepared where possible, and reads their rows."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connections, router

from auth_core.runtime import prepared_statements
from auth_core.users import UserLike
from auth_rbac.holders.service_subject import ServiceSubject, Subject
from auth_rbac.models import Assignment
from auth_rbac.statements.rows import Effect, EffectRow, EverywhereRow, RowKind, Versions


def fetch(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a statement. Never read a replica: it may not have a revocation yet."""
    return prepared_statements.put(_connection(), statement, values)


def fetch_versions(subject: Subject, statement: str) -> Versions:
    """Return the current versions for *subject*, from the row of `sql.versions`."""
    return _versions(fetch(statement, subject_value(subject)))


def fetch_effects(subject: Subject, statement: str, moment: datetime, **values: Any) -> list[EffectRow]:
    """Return the rows of `sql.on_objects` for *subject* at *moment*."""
    rows = _fetch_for(subject, statement, moment, **values)
    versions = _versions(rows)
    return [
        EffectRow(
            versions,
            None if row_kind is None else RowKind(row_kind),
            role,
            number,
            key,
            _moment(begins, moment),
            _moment(ends, moment),
        )
        for _subject, _graph, row_kind, role, number, key, begins, ends in rows
    ]


def fetch_everywhere(subject: Subject, statement: str, moment: datetime) -> list[EverywhereRow]:
    """Return the rows of `sql.everywhere` for *subject* at *moment*."""
    rows = _fetch_for(subject, statement, moment)
    versions = _versions(rows)
    return [
        EverywhereRow(
            versions,
            _moment(until, moment),
            assignments,
            None if app is None else f"{app}.{codename}",
            None if effect is None else Effect(effect),
            kind,
            key,
        )
        for _subject, _graph, until, assignments, app, codename, effect, kind, key in rows
    ]


def _versions(rows: list[tuple[Any, ...]]) -> Versions:
    """Return the versions in the first columns, which are the same in every row."""
    subject, graph, *_rest = rows[0]
    return Versions(str(subject), str(graph))


def _fetch_for(subject: Subject, statement: str, moment: datetime, **values: Any) -> list[tuple[Any, ...]]:
    return fetch(statement, {**values, **subject_value(subject), "now": native_moment(moment)})


def subject_value(subject: Subject) -> dict[str, Any]:
    """Return the value that names *subject* in a statement: ``user``, or ``service``."""
    if isinstance(subject, ServiceSubject):
        field = Assignment._meta.get_field("service_id")
        return {"service": field.get_db_prep_value(subject.public_id, _connection())}
    return {"user": key_of_user(subject)}


def key_of_user(user: UserLike) -> Any:
    """Return the key of *user* as the database has it."""
    return native_key(user, user.pk)


def native_key(model: Any, key: object) -> Any:
    """Return a primary key of *model* as the database has it."""
    return native_keys(model, [key])[0]


def native_keys(model: Any, keys: Iterable[object]) -> list[Any]:
    """Return primary keys of *model* as the database has them."""
    connection, prepare = _connection(), model._meta.pk.get_db_prep_value
    return [prepare(key, connection) for key in keys]


def native_moment(moment: datetime) -> Any:
    """Return *moment* as the database has it."""
    return _connection().ops.adapt_datetimefield_value(moment)


def _moment(stored: datetime | str | None, like: datetime) -> datetime | None:
    """Return a moment from a row, in the time zone of *like*.

    SQLite returns text, or a moment without a time zone if the value comes straight from a column.
    """
    if stored is None or (isinstance(stored, datetime) and stored.tzinfo is not None):
        return stored
    moment = stored if isinstance(stored, datetime) else datetime.fromisoformat(stored)
    return moment.replace(tzinfo=like.tzinfo)


def _connection() -> Any:
    return connections[router.db_for_write(Assignment)]
