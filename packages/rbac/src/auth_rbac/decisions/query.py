"""Runs the statements of decisions on the primary database, prepared where possible, and reads their rows."""

from datetime import datetime
from enum import IntEnum
from typing import Any, NamedTuple

from django.db import connections, router

from auth_core.runtime import prepared_statements
from auth_core.users import UserLike
from auth_rbac.decisions.decision import Effect
from auth_rbac.models import Assignment


class Versions(NamedTuple):
    """The versions under which an answer is valid. A missing version is a value, too.

    Args:
        person: The version of everything that the person holds.
        graph: The version of everything that concerns more than one person.
    """

    person: str
    graph: str


class RowKind(IntEnum):
    """What a row of `sql.on_objects` describes."""

    #: An assignment that has not ended.
    ASSIGNMENT = 0
    #: A permission for one object, from guardian.
    OBJECT_PERMISSION = 1
    #: A role that allows or denies the permission, by itself or through an ancestor.
    ROLE_EFFECT = 2
    #: A permission with the requested name.
    PERMISSION = 3


class EffectRow(NamedTuple):
    """A row of `sql.on_objects`.

    Args:
        versions: The same in every row.
        row_kind: ``None`` in the only row of an empty answer.
        role: The key of the role, as the database has it.
        number: The content type of the scope or object, the effect of a role, or the key of a permission.
        key: The key of the scope or object, as text.
        begins: The beginning of an assignment, if it is in the future.
        ends: The end of an assignment.
    """

    versions: Versions
    row_kind: RowKind | None
    role: Any
    number: int | None
    key: str
    begins: datetime | None
    ends: datetime | None


class EverywhereRow(NamedTuple):
    """A row of `sql.everywhere`: the effect of one permission, everywhere or in one scope.

    Args:
        versions: The same in every row.
        until: The next beginning or end of an assignment, the same in every row.
        assignments: The number of assignments, the same in every row.
        permission: ``app.codename``. ``None`` in the only row of an empty answer.
        kind: The content type of the scope. ``None``: everywhere.
        key: The key of the scope, as text.
    """

    versions: Versions
    until: datetime | None
    assignments: int
    permission: str | None
    effect: Effect | None
    kind: int | None
    key: str


def fetch(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a statement. Never read a replica: it may not have a revocation yet."""
    return prepared_statements.put(_connection(), statement, values)


def fetch_versions(user: UserLike, statement: str) -> Versions:
    """Return the current versions for *user*, from the row of `sql.versions`."""
    return _versions(fetch(statement, {"user": key_of_user(user)}))


def fetch_effects(user: UserLike, statement: str, moment: datetime, **values: Any) -> list[EffectRow]:
    """Return the rows of `sql.on_objects` for *user* at *moment*."""
    rows = _fetch_for(user, statement, moment, **values)
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
        for _person, _graph, row_kind, role, number, key, begins, ends in rows
    ]


def fetch_everywhere(user: UserLike, statement: str, moment: datetime) -> list[EverywhereRow]:
    """Return the rows of `sql.everywhere` for *user* at *moment*."""
    rows = _fetch_for(user, statement, moment)
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
        for _person, _graph, until, assignments, app, codename, effect, kind, key in rows
    ]


def _versions(rows: list[tuple[Any, ...]]) -> Versions:
    """Return the versions in the first columns, which are the same in every row."""
    person, graph, *_rest = rows[0]
    return Versions(str(person), str(graph))


def _fetch_for(user: UserLike, statement: str, moment: datetime, **values: Any) -> list[tuple[Any, ...]]:
    return fetch(statement, {**values, "user": key_of_user(user), "now": native_moment(moment)})


def key_of_user(user: UserLike) -> Any:
    """Return the key of *user* as the database has it."""
    return native_key(user, user.pk)


def native_key(model: Any, key: object) -> Any:
    """Return a primary key of *model* as the database has it."""
    return model._meta.pk.get_db_prep_value(key, _connection())


def native_moment(moment: datetime) -> Any:
    """Return *moment* as the database has it."""
    return _connection().ops.adapt_datetimefield_value(moment)


def _moment(stored: datetime | str | None, like: datetime) -> datetime | None:
    """Return a moment from a row, in the time zone of *like*. SQLite returns text."""
    if stored is None or isinstance(stored, datetime):
        return stored
    return datetime.fromisoformat(stored).replace(tzinfo=like.tzinfo)


def _connection() -> Any:
    return connections[router.db_for_write(Assignment)]
