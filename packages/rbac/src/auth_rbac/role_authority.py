"""Adds roles, scopes and single objects to the rule that no one acts on a person who holds more.

`auth_core.authority` compares Django's own powers and everything that is held everywhere.
This module compares the rest: what is held in a scope or for one object, and what is held later.
Denials are not compared, because they take from the person.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from auth_core.users import UserLike
from auth_rbac.decisions import decisions
from auth_rbac.decisions.decision import DecisionReason
from auth_rbac.models import Assignment, Role, RoleClosure, Wildcard
from auth_rbac.models.version import lock_graph
from auth_rbac.objects.object_list import ObjectTable, object_tables
from auth_rbac.permission_names import label_of
from auth_rbac.scopes import kind_of
from auth_rbac.statements.rows import Effect

if TYPE_CHECKING:
    from django.contrib.auth.models import Group

#: The content type and the key of a scope. ``(None, "")`` is everywhere.
Scope = tuple[int | None, str]

#: Stands for an end that never comes.
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)

#: The most objects to compare. If the person holds something for more, only a superuser may act on them.
_MOST_OBJECTS = 1000


class _ObjectGrantRow(NamedTuple):
    """A permission for one object.

    Args:
        key: The key of the object. Text in a table for objects of every kind.
        kind: The content type of the object. ``None`` in the table of one model.
    """

    app: str
    codename: str
    key: Any
    kind: int | None = None


class RoleAuthority:
    """The comparison of roles. See `auth_core.authority.Authority`."""

    def holds(self, actor: UserLike, permissions: Collection[str]) -> bool:
        """Tell whether *actor* holds all *permissions* now and permanently."""
        _lock()
        return all(decisions.holds_all(actor, permissions, None, at) for at in (timezone.now(), _NEVER))

    def covers_person(self, actor: UserLike, person: UserLike) -> bool:
        """Tell whether *actor* holds all that *person* holds now or later, in person and through groups."""
        groups = list(person.groups.all()) if hasattr(person, "groups") else []
        return _covers(actor, Assignment.objects.reaching(person), {"user": [person], "group": groups})

    def covers_group(self, actor: UserLike, group: "Group") -> bool:
        """Tell whether *actor* holds all that the members of *group* hold through it."""
        _lock()
        return _covers(actor, Assignment.objects.filter(group=group), {"user": [], "group": [group]})

    def covers_service(self, actor: UserLike, service_id: UUID) -> bool:
        """Tell whether *actor* holds all that the service holds now or later. It has roles and nothing else."""
        _lock()
        return _covers(actor, Assignment.objects.of_service(service_id), {"user": [], "group": []})


#: The one instance, so that `ready` can run twice.
ROLE_AUTHORITY = RoleAuthority()


def _lock() -> None:
    """Keep what the actor holds from changing. Outside a transaction the answer is valid only for this moment."""
    if not transaction.get_autocommit():
        lock_graph()


def _covers(actor: UserLike, assignments: "QuerySet[Assignment]", holders: dict[str, list[Any]]) -> bool:
    grants = _granted_by_roles(assignments)
    if not decisions.holds_all(actor, grants.pop(_EVERYWHERE, set()), None, timezone.now()):
        return False
    unrestricted = _held_for_all_objects(actor)
    lacking = {scope: names - unrestricted for scope, names in grants.items() if names - unrestricted}
    for scope, name in _granted_for_objects(holders):
        if name not in unrestricted:
            lacking.setdefault(scope, set()).add(name)
            if len(lacking) > _MOST_OBJECTS:
                return False
    return all(_holds_for(actor, scope, names) for scope, names in lacking.items())


_EVERYWHERE: Scope = (None, "")


def _granted_by_roles(assignments: "QuerySet[Assignment]") -> dict[Scope, set[str]]:
    """Return the permissions by scope that roles allow in assignments that have not ended."""
    lasting = assignments.filter(Q(valid_until=None) | Q(valid_until__gt=timezone.now()))
    rows = list(lasting.values_list("role_id", "scope_type_id", "scope_id").distinct())
    allowed = _allowed_by({role for role, _kind, _key in rows})
    grants: dict[Scope, set[str]] = {}
    for role, kind, key in rows:
        grants.setdefault((kind, key or ""), set()).update(allowed[role])
    return grants


def _allowed_by(roles: Collection[Any]) -> dict[Any, set[str]]:
    """Return what each of *roles* allows, inherited permissions included. It takes three queries, or none."""
    allowed: dict[Any, set[str]] = defaultdict(set)
    if not roles:
        return allowed
    above: dict[Any, set[Any]] = defaultdict(set)
    for role, ancestor in RoleClosure.objects.filter(role__in=roles).values_list("role_id", "ancestor_id"):
        above[ancestor].add(role)
    wildcards = list(Wildcard.objects.filter(role__in=above, denies=False))
    named: dict[Any, set[Any]] = defaultdict(set)
    through = Role.permissions.through._default_manager
    for role, key in through.filter(role__in=above).values_list("role_id", "permission_id"):
        named[key].add(role)
    for permission in _permissions(named, wildcards):
        allowing = named[permission.pk] | {one.role_id for one in wildcards if _covers_permission(one, permission)}
        for role in allowing:
            for holder in above[role]:
                allowed[holder].add(label_of(permission))
    return allowed


def _permissions(named: Iterable[Any], wildcards: Iterable[Wildcard]) -> "QuerySet[Permission]":
    condition = Q(pk__in=list(named))
    for wildcard in wildcards:
        model = {"content_type__model": wildcard.model} if wildcard.model else {}
        condition |= Q(content_type__app_label=wildcard.app_label, **model)
    return Permission.objects.filter(condition).select_related("content_type")


def _covers_permission(wildcard: Wildcard, permission: Permission) -> bool:
    kind = permission.content_type
    return wildcard.app_label == kind.app_label and wildcard.model in {"", kind.model}


def _granted_for_objects(holders: dict[str, list[Any]]) -> Iterator[tuple[Scope, str]]:
    """Yield the permissions for single objects of people and groups, row by row."""
    for table in object_tables():
        if holders[table.holder]:
            rows = table.rows.filter(**{f"{table.holder}__in": holders[table.holder]})
            yield from _read(table, rows)


def _read(table: ObjectTable, rows: "QuerySet[Any]") -> Iterator[tuple[Scope, str]]:
    kind, key = ("content_type_id", "object_pk") if table.of is None else (None, "content_object_id")
    columns = ("permission__content_type__app_label", "permission__codename", key, *([kind] if kind else []))
    for row in (_ObjectGrantRow(*row) for row in rows.values_list(*columns).iterator()):
        kind_id = row.kind if table.of is None else kind_of(table.of)
        yield (kind_id, str(row.key)), f"{row.app}.{row.codename}"


def _held_for_all_objects(actor: UserLike) -> set[str]:
    """Return what *actor* holds by roles for every object. Django's own permissions do not concern objects."""
    effects = decisions.everywhere(actor)
    if effects.scoped is None:
        return set()
    denied_somewhere = {
        name
        for name, scoped in effects.scoped.items()
        if any(effect == Effect.DENIES for _kind, _key, effect in scoped)
    }
    by_role = {name for name, reason in effects.allowed.items() if reason is DecisionReason.ROLE}
    return by_role - effects.denied - denied_somewhere


def _holds_for(actor: UserLike, scope: Scope, names: Collection[str]) -> bool:
    """Tell whether *actor* holds *names* for one object. A deleted object gives nothing to anyone."""
    kind, key = scope
    model = None if kind is None else ContentType.objects.get_for_id(kind).model_class()
    obj: models.Model | None = None if model is None else model._base_manager.filter(pk=key).first()
    return obj is None or decisions.holds_all(actor, names, obj, timezone.now())
