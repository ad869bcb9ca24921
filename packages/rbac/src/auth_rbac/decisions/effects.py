"""The effects of one permission for one subject: what it holds, joined with what the roles allow and deny."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import models

from auth_rbac.decisions import role_cache
from auth_rbac.decisions.role_cache import PermissionRoles
from auth_rbac.holders.service_subject import Subject, kind_of_subject
from auth_rbac.permission_names import parts_of
from auth_rbac.statements.parameters import on_objects
from auth_rbac.statements.query import fetch_effects
from auth_rbac.statements.rows import Effect, EffectRow, RowKind, ScopeEffect, Versions


class PermissionEffects(NamedTuple):
    """The effects of one permission.

    Args:
        versions: The versions under which they are valid.
        effects: Every effect with its scope.
        until: The next beginning or end of an assignment.
    """

    versions: Versions
    effects: set[ScopeEffect]
    until: datetime | None


def effects_of(
    subject: Subject, name: str, objects: Sequence[models.Model], scopes: set[tuple[int, str]], moment: datetime
) -> PermissionEffects:
    """Return the effects of ``app.codename`` for *subject* on *objects*, which are of one model, and in *scopes*.

    It takes one query, with what the roles allow and deny from the cache or from the same query. It takes two if the
    graph has changed since.
    """
    roles = role_cache.remembered(name)
    rows = _fetch(subject, name, objects, scopes, moment, roles)
    if roles is not None and roles.graph != rows[0].versions.graph:
        roles = None
        rows = _fetch(subject, name, objects, scopes, moment, roles)
    if roles is None:
        roles = role_cache.remember(name, rows)
    assignments = [row for row in rows if row.row_kind is RowKind.ASSIGNMENT]
    effects: set[ScopeEffect] = {
        (row.number, row.key, effect) for row in assignments for effect in _effects(row, roles)
    }
    effects |= set(_object_effects(rows, type(objects[0])))
    changes = [change for row in assignments if (change := row.begins or row.ends)]
    return PermissionEffects(rows[0].versions, effects, min(changes, default=None))


def _fetch(
    subject: Subject,
    name: str,
    objects: Sequence[models.Model],
    scopes: set[tuple[int, str]],
    moment: datetime,
    roles: PermissionRoles | None,
) -> list[EffectRow]:
    permissions = None if roles is None else roles.permissions
    statement, values = on_objects(type(objects[0]), objects, scopes, permissions, kind_of_subject(subject))
    app, codename = parts_of(name)
    return fetch_effects(subject, statement, moment, **values, app=app, codename=codename)


def _effects(assignment: EffectRow, roles: PermissionRoles) -> Iterator[Effect]:
    """Yield the effects of an assignment. It has none before it begins."""
    if assignment.begins is None and assignment.role in roles.denying:
        yield Effect.DENIES
    if assignment.begins is None and assignment.role in roles.allowing:
        yield Effect.ALLOWS


def _object_effects(rows: list[EffectRow], model: type[models.Model]) -> Iterator[ScopeEffect]:
    """Yield the effects of guardian's permissions for single objects."""
    for row in rows:
        if row.row_kind is RowKind.OBJECT_PERMISSION:
            # The keys of scopes are text, with the dashes of a UUID. SQLite stores a UUID without them.
            yield row.number, str(model._meta.pk.to_python(row.key)), Effect.ALLOWS_OBJECT
