"""The effects of one permission for one subject: what it holds, joined with what the roles allow and deny."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import models

from auth_rbac.decisions import role_cache
from auth_rbac.decisions.role_cache import PermissionRoles
from auth_rbac.holders.service_subject import Subject, kind_of_subject
from auth_rbac.permission_names import parts_of
from auth_rbac.statements import sql
from auth_rbac.statements.parameters import on_objects
from auth_rbac.statements.query import fetch_effects
from auth_rbac.statements.rows import Effect, EffectRow, RowKind, ScopeEffect, Versions

#: Of a UUID with dashes. Other keys of this length are text, which stays the same.
_CHARACTERS_OF_UUID = 36


class RoleEffects(NamedTuple):
    """The effects of one permission through all roles of a subject, in every scope.

    Args:
        effects: Every effect with its scope.
        until: The next beginning or end of an assignment.
    """

    effects: frozenset[ScopeEffect]
    until: datetime | None


class PermissionEffects(NamedTuple):
    """The effects of one permission.

    Args:
        versions: The versions under which they are valid.
        effects: Every effect with its scope.
        until: The next beginning or end of an assignment.
        by_roles: The effects through roles in every scope. ``None``: the subject has too many assignments.
        existing: The keys of the objects that exist, as text, if they were requested.
    """

    versions: Versions
    effects: set[ScopeEffect]
    until: datetime | None
    by_roles: RoleEffects | None
    existing: frozenset[str]


class NamedObjects(NamedTuple):
    """Objects of one model by their primary keys, and all scopes in which they lie."""

    model: type[models.Model]
    keys: Sequence[Any]
    scopes: set[tuple[int, str]]


def effects_of(
    subject: Subject, name: str, objects: NamedObjects, moment: datetime, *, finds_objects: bool = False
) -> PermissionEffects:
    """Return the effects of ``app.codename`` for *subject* on *objects* and in their scopes.

    It takes one query, with what the roles allow and deny from the cache or from the same query. It takes two if the
    graph has changed since.

    Args:
        finds_objects: Whether to read in the same query which of the objects exist.
    """
    roles = role_cache.remembered(name)
    rows = _fetch(subject, name, objects, moment, roles, finds_objects)
    if roles is not None and roles.graph != rows[0].versions.graph:
        roles = None
        rows = _fetch(subject, name, objects, moment, roles, finds_objects)
    if roles is None:
        roles = role_cache.remember(name, rows)
    by_kind: dict[RowKind | None, list[EffectRow]] = defaultdict(list)
    for row in rows:
        by_kind[row.row_kind].append(row)
    found = _role_effects(by_kind[RowKind.ASSIGNMENT], roles)
    scoped = by_kind[RowKind.SCOPED_ASSIGNMENT]
    everywhere = [row for row in by_kind[RowKind.ASSIGNMENT] if row.number is None]
    return PermissionEffects(
        versions=rows[0].versions,
        effects={*found.effects, *_object_effects(by_kind[RowKind.OBJECT_PERMISSION], objects.model)},
        until=found.until,
        by_roles=None if len(scoped) > sql.FEW_ASSIGNMENTS else _role_effects([*everywhere, *scoped], roles),
        existing=frozenset(_keys_in(by_kind[RowKind.OBJECT], objects.model)),
    )


def _fetch(
    subject: Subject,
    name: str,
    objects: NamedObjects,
    moment: datetime,
    roles: PermissionRoles | None,
    finds_objects: bool,
) -> list[EffectRow]:
    permissions = None if roles is None else roles.permissions
    kind = kind_of_subject(subject)
    statement, values = on_objects(*objects, permissions, kind, finds_objects=finds_objects)
    app, codename = parts_of(name)
    return fetch_effects(subject, statement, moment, **values, app=app, codename=codename)


def _role_effects(assignments: Iterable[EffectRow], roles: PermissionRoles) -> RoleEffects:
    """Return the effects of *assignments* with their scopes, and their next beginning or end."""
    rows = list(assignments)
    changes = [change for row in rows if (change := row.begins or row.ends)]
    effects = frozenset((row.number, row.key, effect) for row in rows for effect in _effects(row, roles))
    return RoleEffects(effects, min(changes, default=None))


def _effects(assignment: EffectRow, roles: PermissionRoles) -> Iterator[Effect]:
    """Yield the effects of an assignment. It has none before it begins."""
    if assignment.begins is None and assignment.role in roles.denying:
        yield Effect.DENIES
    if assignment.begins is None and assignment.role in roles.allowing:
        yield Effect.ALLOWS


def _object_effects(rows: Iterable[EffectRow], model: type[models.Model]) -> Iterator[ScopeEffect]:
    """Yield the effects of guardian's permissions for single objects."""
    for row in rows:
        for key in _keys_in([row], model):
            yield row.number, key, Effect.ALLOWS_OBJECT


def _keys_in(rows: Iterable[EffectRow], model: type[models.Model]) -> Iterator[str]:
    """Yield the keys of objects as the keys of scopes have them: text, with the dashes of a UUID.

    SQLite stores a UUID without them.
    """
    for row in rows:
        for key in json.loads(row.key):
            yield key if len(key) == _CHARACTERS_OF_UUID else str(model._meta.pk.to_python(key))
