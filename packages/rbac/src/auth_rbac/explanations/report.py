"""Who holds what, through which way, since when, granted by whom: every row of it, for auditors.

Rows are read a few thousand at a time, by their keys: of a million grants none is kept, and no
cursor of the database stays open, which a pooler would not have or would hold whole.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.utils import timezone

from auth_core.people.lookup import identity_of
from auth_rbac.models import Assignment, Role
from auth_rbac.objects.object_list import object_tables
from auth_rbac.permission_names import label_of
from auth_rbac.roles import hierarchy
from auth_rbac.roles.roles import SAID, said_by

COLUMNS = (
    "person", "group", "source", "effect", "permission", "through", "scope", "valid_from", "valid_until",
    "in_force", "granted_by", "reason",
)  # fmt: skip

#: What a role says, and to what effect.
_EFFECTS = {"permissions": "allows", "wildcards": "allows", "denials": "denies", "denied_wildcards": "denies"}

Row = dict[str, Any]

#: How many rows of a table are held at once.
_AT_ONCE = 2000


def rows() -> Iterator[Row]:
    """Yield one row for every statement that reaches a person or a group; members of a group are not multiplied."""
    yield from _superusers()
    yield from _by_roles()
    yield from _for_objects()
    yield from _alone()


def _row(**known: Any) -> Row:
    return {**dict.fromkeys(COLUMNS, ""), "in_force": True, **known}


def _superusers() -> Iterator[Row]:
    user = get_user_model()
    if hasattr(user, "is_superuser"):
        people = user._default_manager.filter(is_superuser=True, is_active=True).select_related("auth_identity")
        for person in _read(people):
            yield _row(person=_named(person), source="superuser", effect="allows", permission="*", scope="everywhere")


def _by_roles() -> Iterator[Row]:
    now = timezone.now()
    statements = cache(_statements_of())
    for held in _read(Assignment.objects.select_related("user__auth_identity", "group", "granted_by__auth_identity")):
        for statement in statements(held.role_id):
            yield _row(
                person=_named(held.user),
                group="" if held.group is None else held.group.name,
                source="role",
                scope=held.scope,
                valid_from=held.valid_from,
                valid_until=held.valid_until or "",
                in_force=_holds(held, now),
                granted_by=_named(held.granted_by),
                reason=held.reason,
                **statement,
            )


def _statements_of() -> Callable[[UUID], list[Row]]:
    """Return what tells everything that a role says, itself and by its parents, with the way to it."""
    up = hierarchy.parents_by_role()
    roles = {role.pk: role for role in Role.objects.prefetch_related(*SAID)}
    said = {pk: said_by(role) for pk, role in roles.items()}
    return lambda role: [
        {"effect": effect, "permission": permission, "through": " > ".join(roles[step].name for step in way)}
        for pk, way in hierarchy.ways_up(role, up).items()
        for kind, effect in _EFFECTS.items()
        for permission in said[pk][kind]
    ]


def _holds(held: Assignment, moment: datetime) -> bool:
    return held.valid_from <= moment and (held.valid_until is None or moment < held.valid_until)


def _for_objects() -> Iterator[Row]:
    for table in object_tables():
        holder = "group" if table.holder == "group" else "user__auth_identity"
        for row in _read(table.rows.select_related(holder, "permission__content_type")):
            held = table.read(row)
            yield _row(
                person=_named(held.user),
                group="" if held.group is None else held.group.name,
                source="object",
                effect="allows",
                permission=held.permission,
                scope=f"{held.kind}:{held.key}",
            )


def _alone() -> Iterator[Row]:
    """Yield what people and groups have by Django's own tables."""
    everywhere = {"source": "alone", "effect": "allows", "scope": "everywhere"}
    if own := getattr(get_user_model(), "user_permissions", None):
        person, permission = own.field.m2m_field_name(), own.field.m2m_reverse_field_name()
        wanted = own.through._default_manager.select_related(f"{person}__auth_identity", f"{permission}__content_type")
        for row in _read(wanted):
            label = label_of(getattr(row, permission))
            yield _row(person=_named(getattr(row, person)), permission=label, **everywhere)
    for row in _read(Group.permissions.through._default_manager.select_related("group", "permission__content_type")):
        yield _row(group=row.group.name, permission=label_of(row.permission), **everywhere)


def _read(rows: "QuerySet[Any]") -> Iterator[Any]:
    """Yield all of *rows* in the order of their keys."""
    page = list(rows.order_by("pk")[:_AT_ONCE])
    while page:
        yield from page
        page = list(rows.filter(pk__gt=page[-1].pk).order_by("pk")[:_AT_ONCE])


def _named(user: Any) -> str:
    return "" if user is None else str(identity_of(user).subject_id)
