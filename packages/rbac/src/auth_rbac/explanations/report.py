"""The access report for auditors: who holds what, through which path, since when, and who granted it.

It reads a few thousand rows at a time, by their keys. A report of a million grants keeps none of them in
memory. It holds no database cursor open, which a connection pooler may not support, or may buffer whole.
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

from auth_core.users import UserLike
from auth_rbac.holders.descriptions import label_of_holder, load_services
from auth_rbac.holders.lookup import holder_of, public_id
from auth_rbac.models import Assignment, HolderKind, Role
from auth_rbac.objects.object_list import object_tables
from auth_rbac.permission_names import label_of
from auth_rbac.roles import hierarchy
from auth_rbac.roles.roles import CONTENT_RELATIONS, content_by_kind

COLUMNS = (
    "holder_kind", "holder", "name", "source", "effect", "permission", "through", "scope", "valid_from", "valid_until",
    "in_force", "granted_by", "reason",
)  # fmt: skip

#: The effect of each kind of content of a role.
_EFFECTS = {"permissions": "allows", "wildcards": "allows", "denials": "denies", "denied_wildcards": "denies"}

Row = dict[str, Any]

#: How many rows of a table are read at once.
_PAGE_SIZE = 2000


def rows() -> Iterator[Row]:
    """Yield one row for each permission of a person, a group or a service.

    Members of a group get no rows of their own. The name of a person is left out: only their public id is reported.
    """
    yield from _superusers()
    yield from _by_roles()
    yield from _for_objects()
    yield from _direct()


def _row(**values: Any) -> Row:
    return {**dict.fromkeys(COLUMNS, ""), "in_force": True, **values}


def _superusers() -> Iterator[Row]:
    user = get_user_model()
    if hasattr(user, "is_superuser"):
        people = user._default_manager.filter(is_superuser=True, is_active=True).select_related("auth_identity")
        for person in _read(people):
            yield _row(**_holder(person), source="superuser", effect="allows", permission="*", scope="everywhere")


def _by_roles() -> Iterator[Row]:
    now = timezone.now()
    statements_of = cache(_statements_by_role())
    related = ("user__auth_identity", "group__rbac_identity", "granted_by__auth_identity")
    for assignment in _read(Assignment.objects.select_related(*related), load_services):
        holder = assignment.holder
        name = "" if holder.kind is HolderKind.PERSON else label_of_holder(assignment)
        for statement in statements_of(assignment.role_id):
            yield _row(
                **holder.to_event(),
                name=name,
                source="role",
                scope=assignment.scope,
                valid_from=assignment.valid_from,
                valid_until=assignment.valid_until or "",
                in_force=_is_in_force(assignment, now),
                granted_by=public_id(assignment.granted_by) or "",
                reason=assignment.reason,
                **statement,
            )


def _statements_by_role() -> Callable[[UUID], list[Row]]:
    """Return a function from the key of a role to its content and inherited content, with the path to it."""
    parents = hierarchy.parents_by_role()
    roles = {role.pk: role for role in Role.objects.prefetch_related(*CONTENT_RELATIONS)}
    contents = {pk: content_by_kind(role) for pk, role in roles.items()}
    return lambda role: [
        {"effect": effect, "permission": permission, "through": " > ".join(roles[step].name for step in path)}
        for pk, path in hierarchy.paths_up(role, parents).items()
        for kind, effect in _EFFECTS.items()
        for permission in contents[pk][kind]
    ]


def _is_in_force(assignment: Assignment, moment: datetime) -> bool:
    return assignment.valid_from <= moment and (assignment.valid_until is None or moment < assignment.valid_until)


def _for_objects() -> Iterator[Row]:
    for table in object_tables():
        holder = "group__rbac_identity" if table.holder == "group" else "user__auth_identity"
        for row in _read(table.rows.select_related(holder, "permission__content_type")):
            grant = table.read(row)
            yield _row(
                **_holder(grant.user or grant.group),
                source="object",
                effect="allows",
                permission=grant.permission,
                scope=f"{grant.kind}:{grant.key}",
            )


def _direct() -> Iterator[Row]:
    """Yield what people and groups have through Django's own tables."""
    everywhere = {"source": "alone", "effect": "allows", "scope": "everywhere"}
    if own := getattr(get_user_model(), "user_permissions", None):
        person, permission = own.field.m2m_field_name(), own.field.m2m_reverse_field_name()
        rows = own.through._default_manager.select_related(f"{person}__auth_identity", f"{permission}__content_type")
        for row in _read(rows):
            label = label_of(getattr(row, permission))
            yield _row(**_holder(getattr(row, person)), permission=label, **everywhere)
    groups = Group.permissions.through._default_manager
    for row in _read(groups.select_related("group__rbac_identity", "permission__content_type")):
        yield _row(**_holder(row.group), permission=label_of(row.permission), **everywhere)


def _read(rows: "QuerySet[Any]", load: Callable[[list[Any]], None] = lambda page: None) -> Iterator[Any]:
    """Yield all of *rows* in the order of their keys. *load* loads what a page of them needs."""
    page = list(rows.order_by("pk")[:_PAGE_SIZE])
    while page:
        load(page)
        yield from page
        page = list(rows.filter(pk__gt=page[-1].pk).order_by("pk")[:_PAGE_SIZE])


def _holder(holder: UserLike | Group) -> Row:
    return {**holder_of(holder).to_event(), "name": holder.name if isinstance(holder, Group) else ""}
