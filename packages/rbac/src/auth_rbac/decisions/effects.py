"""What is said of one permission in some scopes: by what somebody holds, and what the roles say."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import models

from auth_rbac.decisions import decision_cache, role_cache, sql
from auth_rbac.decisions.decision_cache import Versions
from auth_rbac.decisions.query import ask_of, moment_from
from auth_rbac.decisions.role_cache import Saying
from auth_rbac.decisions.sql_parameters import on_objects
from auth_rbac.permission_names import parts_of


class Said(NamedTuple):
    """What is said of one permission.

    Args:
        versions: Under which it is.
        effects: Of which scope, and what: kind, key and effect.
        until: The next beginning or end among the assignments.
    """

    versions: Versions
    effects: set[tuple[int | None, str, int]]
    until: datetime | None


class _Held(NamedTuple):
    """An assignment that is not over."""

    role: Any
    kind: int | None
    key: str
    begins: datetime | None
    ends: datetime | None


def said_of(
    user: Any, name: str, objects: Sequence[models.Model], scopes: set[tuple[int, str]], moment: datetime
) -> Said:
    """Return what is said of ``app.codename`` on *objects*, which are of one model, and in *scopes*, for *user*.

    One query: what the roles say is remembered, or told with it. Two, where the graph has changed since.
    """
    saying = role_cache.remembered(name)
    rows = _ask(user, name, objects, scopes, moment, saying)
    if saying is not None and saying.graph != decision_cache.versions_in(rows[0])[1]:
        saying = None
        rows = _ask(user, name, objects, scopes, moment, saying)
    if saying is None:
        saying = role_cache.learn(name, rows)
    held = [_Held(*row[3:6], *(moment_from(each, moment) for each in row[6:])) for row in rows if row[2] == sql.HELD]
    effects = {(one.kind, one.key, effect) for one in held for effect in _effects(one, saying)}
    effects |= set(_by_guardian(rows, type(objects[0])))
    turns = [turn for one in held if (turn := one.begins or one.ends)]
    return Said(decision_cache.versions_in(rows[0]), effects, min(turns, default=None))


def _ask(
    user: Any,
    name: str,
    objects: Sequence[models.Model],
    scopes: set[tuple[int, str]],
    moment: datetime,
    saying: Saying | None,
) -> list[tuple[Any, ...]]:
    permissions = None if saying is None else saying.permissions
    statement, values = on_objects(type(objects[0]), objects, scopes, permissions)
    app, codename = parts_of(name)
    return ask_of(user, statement, moment, **values, app=app, codename=codename)


def _effects(held: _Held, saying: Saying) -> Iterator[int]:
    """Yield what an assignment makes of what the roles say; nothing before it begins."""
    if held.begins is None and held.role in saying.denying:
        yield sql.DENIES
    if held.begins is None and held.role in saying.allowing:
        yield sql.ALLOWS


def _by_guardian(rows: list[tuple[Any, ...]], model: type[models.Model]) -> Iterator[tuple[int, str, int]]:
    for row in rows:
        if row[2] == sql.ALLOWED_OBJECT:
            # As text, as scopes have keys: SQLite keeps a UUID without its dashes.
            yield row[4], str(model._meta.pk.to_python(row[5])), sql.ALLOWS_OBJECT
