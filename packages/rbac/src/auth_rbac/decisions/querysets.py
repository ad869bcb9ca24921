"""Filters querysets to the objects for which a person or a service has a permission."""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import connections, models, router
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from auth_rbac.decisions.decision import DecisionReason
from auth_rbac.decisions.decision_cache import on_instance
from auth_rbac.decisions.decisions import everywhere
from auth_rbac.decisions.role_cache import remembered
from auth_rbac.holders.service_subject import ServiceSubject, Subject, kind_of_subject
from auth_rbac.models import Assignment, HolderKind
from auth_rbac.permission_names import full_name, parts_of
from auth_rbac.scopes import around, kind_of
from auth_rbac.statements import sql
from auth_rbac.statements.parameters import keys_of_permission, listed
from auth_rbac.statements.query import fetch, native_key, native_moment, subject_value
from auth_rbac.statements.rows import Effect, ScopeEffect
from auth_rbac.statements.tables import positional

M = TypeVar("M", bound=models.Model)


def permitted(subject: Subject, permission: str, objects: "QuerySet[M] | type[M]") -> "QuerySet[M]":
    """Return those of *objects* for which `auth_rbac.decisions.decisions.check` allows the permission.

    The queryset takes one query when it is evaluated. If this instance of the subject has asked nothing yet,
    this function also reads what the subject may do everywhere. A permission that is allowed everywhere needs another query
    plan than one for single objects, and PostgreSQL plans before it reads.

    Args:
        permission: A verb (``view``), a codename of the model's app, or ``app.codename``.
        objects: A queryset, or a model for all of its objects.
    """
    rows = _rows(objects)
    if not subject.is_active:
        return rows.none()
    if getattr(subject, "is_superuser", False):
        return rows
    name = full_name(permission, rows.model)
    effects = everywhere(subject)
    if name in effects.denied:
        return rows.none()
    by_role = effects.allowed.get(name) is DecisionReason.ROLE
    if effects.scoped is not None:
        return _filter_from_cache(subject, name, rows, by_role, effects.scoped.get(name, set()))
    values = _values(subject, name, rows.model)
    kind = kind_of_subject(subject)
    rows = rows.exclude(_in_scopes(rows.model, values, Effect.DENIES, kind))
    return rows if by_role else rows.filter(_in_scopes(rows.model, values, Effect.ALLOWS, kind))


def permitted_keys(
    subject: Subject, permission: str, objects: "QuerySet[M] | type[M]", *, after: object = None, limit: int = 50
) -> list[Any]:
    """Return the next keys of *objects* for which `auth_rbac.decisions.decisions.check` allows the permission, ascending.

    They are the keys that `permitted` lists. If only permissions for single objects count, this function does not use
    the ORM. It is meant for lists that are read often.

    Args:
        permission: As in `permitted`.
        objects: As in `permitted`. Its order is ignored.
        after: The last key of the page before. ``None``: begin with the first key.
        limit: The most keys to return.
    """
    rows = _rows(objects)
    name, model = full_name(permission, rows.model), rows.model
    allowed_keys = _cached_keys(subject, name, rows)
    if allowed_keys is None:
        page = permitted(subject, name, rows).order_by("pk")
        page = page if after is None else page.filter(pk__gt=after)
        return list(page.values_list("pk", flat=True)[:limit])
    values = _values(subject, name, model, allowed_keys) | {"limit": limit}
    if after is not None:
        values["after"] = native_key(model, after)
    shape = {"cast": _cast_to_key(model), "is_known": "permissions" in values, "with_listed": bool(allowed_keys)}
    statement = sql.next_keys(model, is_first=after is None, **shape)
    return [model._meta.pk.to_python(key) for (key,) in fetch(statement, values)]


def _rows(objects: "QuerySet[M] | type[M]") -> "QuerySet[M]":
    return objects if isinstance(objects, QuerySet) else objects._default_manager.all()


def _cached_keys(subject: Subject, name: str, rows: "QuerySet[M]") -> list[str] | None:
    """Return the keys that the roles of *subject* allow, if only they and guardian's tables count.

    ``None`` if *rows* is not the whole table, or if something else counts: a permission that is allowed everywhere, a
    denial, or a scope around. Always ``None`` for a service, which has nothing in guardian's tables.
    """
    query = rows.query
    is_whole = not (query.where or query.is_sliced or query.combinator or query.extra) and rows.db == _alias()
    if isinstance(subject, ServiceSubject) or not subject.is_active or getattr(subject, "is_superuser", False):
        return None
    if not is_whole:
        return None
    effects = everywhere(subject)
    scoped = None if effects.scoped is None else effects.scoped.get(name, set())
    if scoped is None or name in effects.denied or effects.allowed.get(name) is DecisionReason.ROLE:
        return None
    if not scoped:
        return []
    allowed = _listed(rows.model, scoped, Effect.ALLOWS)
    if _listed(rows.model, scoped, Effect.DENIES) or allowed.keys() - {"pk"}:
        return None
    return allowed.get("pk", [])


def _values(subject: Subject, name: str, model: type[models.Model], keys: Sequence[str] = ()) -> dict[str, Any]:
    """Return the values of the statements that list keys. *keys* are allowed by roles."""
    app, codename = parts_of(name)
    return {
        **subject_value(subject),
        "now": native_moment(timezone.now()),
        "app": app,
        "codename": codename,
        "kind": kind_of(model),
        "listed": listed(list(keys)),
        **keys_of_permission(_cached_permissions(subject, name)),
    }


def _cached_permissions(subject: Subject, name: str) -> tuple[int, ...] | None:
    """Return the keys of the permission, if they are cached under the graph version of this instance."""
    cached, roles = on_instance(subject), remembered(name)
    if cached is None or roles is None or roles.graph != cached.versions.graph:
        return None
    return roles.permissions


def _filter_from_cache(
    subject: Subject, name: str, rows: "QuerySet[M]", by_role: bool, scoped: set[ScopeEffect]
) -> "QuerySet[M]":
    """Filter by the cached effects of the roles. Only guardian's tables need a query."""
    denied = _listed(rows.model, scoped, Effect.DENIES)
    for path, keys in denied.items():
        rows = rows.exclude(**{f"{path}__in": keys})
    if by_role:
        return rows
    allowed = _listed(rows.model, scoped, Effect.ALLOWS)
    own_keys = allowed.pop("pk", [])
    condition = (
        Q(pk__in=own_keys) if isinstance(subject, ServiceSubject) else _by_guardian(subject, name, rows, own_keys)
    )
    for path, keys in allowed.items():
        condition |= Q(**{f"{path}__in": keys})
    return rows.filter(condition)


def _by_guardian(subject: Subject, name: str, rows: "QuerySet[M]", own_keys: Sequence[str]) -> Q:
    """Return the condition that an object has one of *own_keys*, or that guardian allows it."""
    values = _values(subject, name, rows.model, own_keys)
    shape = {"is_known": "permissions" in values, "with_listed": bool(own_keys)}
    statement = sql.keys_of_objects(rows.model, cast=_cast_to_key(rows.model), **shape)
    return Q(pk__in=RawSQL(*positional(statement, values)))  # noqa: S611 - names are ours


def _listed(model: type[models.Model], scoped: set[ScopeEffect], effect: Effect) -> dict[str, list[str]]:
    """Return the keys of the objects in whose scope a role has *effect*, by path: ``pk`` or a path to an outer object."""
    outer_models = [("pk", model), *((outer.path, outer.model) for outer in around(model))]
    keys_by_path: dict[str, list[str]] = {}
    for path, outer in outer_models:
        keys = sorted(key for kind, key, role_effect in scoped if role_effect == effect and kind == kind_of(outer))
        if keys:
            keys_by_path[path] = keys
    return keys_by_path


def _in_scopes(model: type[models.Model], values: dict[str, Any], effect: Effect, subject: HolderKind) -> Q:
    """Return the condition that a role has *effect* for an object, in its own scope or in a scope around it."""
    with_guardian = effect is Effect.ALLOWS and subject is HolderKind.PERSON
    condition = Q(pk__in=_keys(model, values, effect, subject, with_guardian=with_guardian))
    for outer in around(model):
        condition |= Q(**{f"{outer.path}__in": _keys(outer.model, values, effect, subject)})
    return condition


def _keys(
    model: type[models.Model],
    values: dict[str, Any],
    effect: Effect,
    subject: HolderKind,
    *,
    with_guardian: bool = False,
) -> RawSQL:
    statement = sql.keys_in(model, effect, cast=_cast_to_key(model), subject=subject, with_guardian=with_guardian)
    return RawSQL(*positional(statement, values | {"kind": kind_of(model)}))  # noqa: S611 - names are ours


def _cast_to_key(model: type[models.Model]) -> str:
    """Return the expression that casts a key as text to the type of *model*'s key, so that its index is used."""
    connection = connections[_alias()]
    key: Any = model._meta.pk
    while key.remote_field:
        key = key.target_field
    if isinstance(key, models.UUIDField) and not connection.features.has_native_uuid_field:
        return "REPLACE(%s, '-', '')"
    return f"CAST(%s AS {key.cast_db_type(connection)})"


def _alias() -> str:
    return router.db_for_write(Assignment)
