"""Which objects may somebody do this to? As one query, which filters and pages."""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import connections, models, router
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from auth_rbac.decisions import sql
from auth_rbac.decisions.decision import Reason
from auth_rbac.decisions.decision_cache import on_instance
from auth_rbac.decisions.decisions import everywhere
from auth_rbac.decisions.query import ask, key_of_user, native_key, native_moment
from auth_rbac.decisions.role_cache import remembered
from auth_rbac.decisions.sql_parameters import keys_of_permission, listed
from auth_rbac.models import Assignment
from auth_rbac.permission_names import full_name, parts_of
from auth_rbac.scopes import around, kind_of

M = TypeVar("M", bound=models.Model)


def permitted(user: Any, permission: str, objects: "QuerySet[M] | type[M]") -> "QuerySet[M]":
    """Return those of *objects* on which `auth_rbac.decisions.decisions.check` would let *user*.

    One query, when it is evaluated. Before it, now, the one with which every instance of a user
    begins, if it was asked nothing yet: whoever is let everywhere needs another plan than
    whoever is let here and there, and PostgreSQL plans before it looks.

    Args:
        permission: A verb (``view``), a codename of the model's app, or ``app.codename``.
        objects: A queryset, or a model for all of its objects.
    """
    rows = _rows(objects)
    if not user.is_active:
        return rows.none()
    if getattr(user, "is_superuser", False):
        return rows
    name = full_name(permission, rows.model)
    found = everywhere(user)
    if name in found.denied:
        return rows.none()
    by_role = found.allowed.get(name) is Reason.ROLE
    if found.scoped is not None:
        return _from_memory(user, name, rows, by_role, found.scoped.get(name, set()))
    values = _values(user, name, rows.model)
    rows = rows.exclude(_in_scopes(rows.model, values, sql.DENIES))
    return rows if by_role else rows.filter(_in_scopes(rows.model, values, sql.ALLOWS))


def permitted_keys(
    user: Any, permission: str, objects: "QuerySet[M] | type[M]", *, after: Any = None, limit: int = 50
) -> list[Any]:
    """Return the keys of the next of *objects* on which `auth_rbac.decisions.decisions.check` would let *user*, in their order.

    What `permitted` would list; without the ORM where only permissions for single objects count, for
    lists that are asked for often.

    Args:
        permission: As there.
        objects: As there; what order they are in does not count.
        after: The last key of the page before; ``None``: from the first on.
        limit: How many at most.
    """
    rows = _rows(objects)
    name, model = full_name(permission, rows.model), rows.model
    known = _known_keys(user, name, rows)
    if known is None:
        found = permitted(user, name, rows).order_by("pk")
        found = found if after is None else found.filter(pk__gt=after)
        return list(found.values_list("pk", flat=True)[:limit])
    values = _values(user, name, model, known) | {"limit": limit}
    if after is not None:
        values["after"] = native_key(model, after)
    shape = {"cast": _cast_to_key(model), "is_known": "permissions" in values, "with_listed": bool(known)}
    statement = sql.next_keys(model, is_first=after is None, **shape)
    return [model._meta.pk.to_python(key) for (key,) in ask(statement, values)]


def _rows(objects: "QuerySet[M] | type[M]") -> "QuerySet[M]":
    return objects if isinstance(objects, QuerySet) else objects._default_manager.all()


def _known_keys(user: Any, name: str, rows: "QuerySet[M]") -> list[str] | None:
    """Return the keys for which the roles of *user* are known to let, if nothing but them and guardian's tables counts.

    ``None`` where the list is not of the whole table, or where something else counts: what is let everywhere, what is
    denied, objects around.
    """
    query = rows.query
    is_whole = not (query.where or query.is_sliced or query.combinator or query.extra) and rows.db == _alias()
    if not is_whole or not user.is_active or getattr(user, "is_superuser", False):
        return None
    found = everywhere(user)
    scoped = None if found.scoped is None else found.scoped.get(name, set())
    if scoped is None or name in found.denied or found.allowed.get(name) is Reason.ROLE:
        return None
    if not scoped:
        return []
    allowed = _listed(rows.model, scoped, sql.ALLOWS)
    if _listed(rows.model, scoped, sql.DENIES) or allowed.keys() - {"pk"}:
        return None
    return allowed.get("pk", [])


def _values(user: Any, name: str, model: type[models.Model], known: Sequence[str] = ()) -> dict[str, Any]:
    """Return the values of the statements that list keys; *known* are keys of objects."""
    app, codename = parts_of(name)
    return {
        "user": key_of_user(user),
        "now": native_moment(timezone.now()),
        "app": app,
        "codename": codename,
        "kind": kind_of(model),
        "listed": listed(list(known)),
        **keys_of_permission(_known_permissions(user, name)),
    }


def _known_permissions(user: Any, name: str) -> tuple[int, ...] | None:
    """Return the keys of the permission, if they were learned under the graph that this instance stands on."""
    standing, saying = on_instance(user), remembered(name)
    if standing is None or saying is None or saying.graph != standing.versions[1]:
        return None
    return saying.permissions


def _from_memory(
    user: Any, name: str, rows: "QuerySet[M]", by_role: bool, scoped: set[tuple[int, str, int]]
) -> "QuerySet[M]":
    """Filter by what the roles of this person are known to say; only guardian's tables are still asked."""
    denied = _listed(rows.model, scoped, sql.DENIES)
    for path, keys in denied.items():
        rows = rows.exclude(**{f"{path}__in": keys})
    if by_role:
        return rows
    allowed = _listed(rows.model, scoped, sql.ALLOWS)
    known = allowed.pop("pk", [])
    values = _values(user, name, rows.model, known)
    shape = {"is_known": "permissions" in values, "with_listed": bool(known)}
    statement = sql.keys_of_objects(rows.model, cast=_cast_to_key(rows.model), **shape)
    condition = Q(pk__in=RawSQL(*sql.positional(statement, values)))  # noqa: S611 - names are ours
    for path, keys in allowed.items():
        condition |= Q(**{f"{path}__in": keys})
    return rows.filter(condition)


def _listed(model: type[models.Model], scoped: set[tuple[int, str, int]], effect: int) -> dict[str, list[str]]:
    """Return the keys of objects in which something is said: of *model* itself (``pk``), and of what is around it."""
    places = [("pk", model), *((place.path, place.model) for place in around(model))]
    found: dict[str, list[str]] = {}
    for path, of in places:
        keys = sorted(key for kind, key, said in scoped if said == effect and kind == kind_of(of))
        if keys:
            found[path] = keys
    return found


def _in_scopes(model: type[models.Model], values: dict[str, Any], effect: int) -> Q:
    """Return the condition that something is said of an object, itself or by an object around it."""
    condition = Q(pk__in=_keys(model, values, effect, with_guardian=effect == sql.ALLOWS))
    for place in around(model):
        condition |= Q(**{f"{place.path}__in": _keys(place.model, values, effect)})
    return condition


def _keys(model: type[models.Model], values: dict[str, Any], effect: int, *, with_guardian: bool = False) -> RawSQL:
    statement = sql.keys_in(model, effect, cast=_cast_to_key(model), with_guardian=with_guardian)
    return RawSQL(*sql.positional(statement, values | {"kind": kind_of(model)}))  # noqa: S611 - names are ours


def _cast_to_key(model: type[models.Model]) -> str:
    """Return how a key that is kept as text becomes one of *model*'s, so that its index serves."""
    connection = connections[_alias()]
    key: Any = model._meta.pk
    while key.remote_field:
        key = key.target_field
    if isinstance(key, models.UUIDField) and not connection.features.has_native_uuid_field:
        return "REPLACE(%s, '-', '')"
    return f"CAST(%s AS {key.cast_db_type(connection)})"


def _alias() -> str:
    return router.db_for_write(Assignment)
