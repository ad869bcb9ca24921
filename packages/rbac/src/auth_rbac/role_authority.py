"""What roles, scopes and single objects add to the rule that no one acts on a person who holds more.

`auth_core.authority` compares Django's own powers and everything that is held everywhere.
This file compares the rest: what is held in a scope or for one object, and what is held later.
A role that denies something is not compared: it takes from the person.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from auth_rbac.decisions import decisions, sql
from auth_rbac.decisions.decision import Reason
from auth_rbac.models import Assignment, Role, RoleClosure, Wildcard
from auth_rbac.models.version import lock_graph
from auth_rbac.objects.object_list import ObjectTable, object_tables
from auth_rbac.permission_names import label_of
from auth_rbac.scopes import kind_of

#: Where something is held: content type and key of an object; ``(None, "")``: everywhere.
Place = tuple[int | None, str]

#: The end of what has no end.
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)

#: For more objects than this no comparison is made: only a superuser acts on such a person.
_MOST_OBJECTS = 1000


class RoleAuthority:
    """The answers of roles; see `auth_core.authority.Authority`."""

    def holds(self, actor: Any, permissions: Collection[str]) -> bool:
        """Tell whether *actor* holds all of it now, and by nothing that ends."""
        _lock()
        return all(decisions.holds_all(actor, permissions, None, at) for at in (timezone.now(), _NEVER))

    def covers_person(self, actor: Any, person: Any) -> bool:
        """Tell whether *actor* holds what *person* was given, in person and by groups, now or from a later day on."""
        groups = list(person.groups.all()) if hasattr(person, "groups") else []
        return _covers(actor, Assignment.objects.reaching(person), {"user": [person], "group": groups})

    def covers_group(self, actor: Any, group: Any) -> bool:
        """Tell whether *actor* holds what the members of *group* were given by it."""
        _lock()
        return _covers(actor, Assignment.objects.filter(group=group), {"user": [], "group": [group]})


#: The one instance: an app that is made ready twice registers the same.
ROLE_AUTHORITY = RoleAuthority()


def _lock() -> None:
    """Let no one change meanwhile what the actor holds; outside a transaction the answer is of this moment only."""
    if not transaction.get_autocommit():
        lock_graph()


def _covers(actor: Any, assignments: "QuerySet[Assignment]", holders: dict[str, list[Any]]) -> bool:
    given = _given_by_roles(assignments)
    if not decisions.holds_all(actor, given.pop(_EVERYWHERE, set()), None, timezone.now()):
        return False
    plain = _held_for_all_objects(actor)
    lacking = {place: names - plain for place, names in given.items() if names - plain}
    for place, name in _given_for_objects(holders):
        if name not in plain:
            lacking.setdefault(place, set()).add(name)
            if len(lacking) > _MOST_OBJECTS:
                return False
    return all(_holds_for(actor, place, names) for place, names in lacking.items())


_EVERYWHERE: Place = (None, "")


def _given_by_roles(assignments: "QuerySet[Assignment]") -> dict[Place, set[str]]:
    """Return what roles allow that are not over yet, by the place where they do."""
    lasting = assignments.filter(Q(valid_until=None) | Q(valid_until__gt=timezone.now()))
    held = list(lasting.values_list("role_id", "scope_type_id", "scope_id").distinct())
    allowed = _allowed_by({role for role, _kind, _key in held})
    given: dict[Place, set[str]] = {}
    for role, kind, key in held:
        given.setdefault((kind, key or ""), set()).update(allowed[role])
    return given


def _allowed_by(roles: Collection[Any]) -> dict[Any, set[str]]:
    """Return what each of *roles* allows, by itself and by the roles above it; three queries, none without roles."""
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
        saying = named[permission.pk] | {one.role_id for one in wildcards if _covers_permission(one, permission)}
        for role in saying:
            for holder in above[role]:
                allowed[holder].add(label_of(permission))
    return allowed


def _permissions(named: Iterable[Any], wildcards: Iterable[Wildcard]) -> "QuerySet[Permission]":
    wanted = Q(pk__in=list(named))
    for wildcard in wildcards:
        model = {"content_type__model": wildcard.model} if wildcard.model else {}
        wanted |= Q(content_type__app_label=wildcard.app_label, **model)
    return Permission.objects.filter(wanted).select_related("content_type")


def _covers_permission(wildcard: Wildcard, permission: Permission) -> bool:
    kind = permission.content_type
    return wildcard.app_label == kind.app_label and wildcard.model in {"", kind.model}


def _given_for_objects(holders: dict[str, list[Any]]) -> Iterator[tuple[Place, str]]:
    """Yield what guardian's tables say of people and groups, row by row."""
    for table in object_tables():
        if holders[table.holder]:
            rows = table.rows.filter(**{f"{table.holder}__in": holders[table.holder]})
            yield from _read(table, rows)


def _read(table: ObjectTable, rows: "QuerySet[Any]") -> Iterator[tuple[Place, str]]:
    kind, key = ("content_type_id", "object_pk") if table.of is None else (None, "content_object_id")
    columns = ("permission__content_type__app_label", "permission__codename", key, *([kind] if kind else []))
    for app, codename, obj, *of in rows.values_list(*columns).iterator():
        yield (of[0] if of else kind_of(table.of), str(obj)), f"{app}.{codename}"  # type: ignore[arg-type]  # one of both


def _held_for_all_objects(actor: Any) -> set[str]:
    """Return what *actor* holds by roles for every object there is: what Django gives says nothing of objects."""
    found = decisions.everywhere(actor)
    if found.scoped is None:
        return set()
    denied_somewhere = {
        name for name, said in found.scoped.items() if any(effect == sql.DENIES for _kind, _key, effect in said)
    }
    return {name for name, why in found.allowed.items() if why is Reason.ROLE} - found.denied - denied_somewhere


def _holds_for(actor: Any, place: Place, names: Collection[str]) -> bool:
    """Tell whether *actor* holds *names* for one object; an object that is gone gives nothing to anyone."""
    kind, key = place
    model = None if kind is None else ContentType.objects.get_for_id(kind).model_class()
    obj: models.Model | None = None if model is None else model._base_manager.filter(pk=key).first()
    return obj is None or decisions.holds_all(actor, names, obj, timezone.now())
