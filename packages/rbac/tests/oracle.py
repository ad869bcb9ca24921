"""The expected decisions, computed from every row in the simplest way. Of this package it uses only the models."""

from collections import defaultdict
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from guardian.models import GroupObjectPermission, UserObjectPermission

from auth_rbac.models import Assignment, Role, RoleEdge, Wildcard


def may(user: Any, name: str, obj: Any, moment: Any, around: tuple[Any, ...] = ()) -> bool:
    """Tell whether *user* has the permission at *moment*. *around* are the outer objects of *obj*."""

    def is_it(p: Permission) -> bool:
        return f"{p.content_type.app_label}.{p.codename}" == name

    groups, yes, no, roles = list(user.groups.all()), list[Any](), list[Any](), list[Any]()
    scopes = [(ContentType.objects.get_for_model(x).pk, str(x.pk)) for x in (obj, *around) if x]
    for a in Assignment.objects.all():
        is_now = a.valid_from <= moment and (a.valid_until is None or moment < a.valid_until)
        if (a.user == user or a.group in groups) and is_now and (a.scope_type_id, a.scope_id) in [(None, ""), *scopes]:
            roles.append(a.role)
    for role in roles:  # the list grows until every ancestor is in it
        roles += [edge.parent for edge in RoleEdge.objects.filter(child=role) if edge.parent not in roles]
        yes += filter(is_it, role.permissions.all())
        no += filter(is_it, role.denials.all())
    kinds = {p.content_type for p in Permission.objects.select_related("content_type") if is_it(p)}
    for w in Wildcard.objects.all():
        if w.role in roles and any(w.app_label == kind.app_label and w.model in ("", kind.model) for kind in kinds):
            (no if w.denies else yes).append(w)
    if obj is None:
        yes += filter(is_it, [*user.user_permissions.all(), *(p for group in groups for p in group.permissions.all())])
    rows = [*UserObjectPermission.objects.filter(user=user), *GroupObjectPermission.objects.filter(group__in=groups)]
    yes += [row for row in rows if is_it(row.permission) and (row.content_type_id, row.object_pk) in scopes[:1]]
    return bool(user.is_active and (user.is_superuser or (yes and not no)))


class Picture:
    """All rows at one moment, read once, to compare what everybody holds before and after an act."""

    def __init__(self) -> None:
        rows = Permission.objects.select_related("content_type")
        self.kinds = {p.pk: (p.content_type.app_label, p.content_type.model, p.codename) for p in rows}
        self.models: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for app, model, codename in self.kinds.values():
            self.models[f"{app}.{codename}"].add((app, model))
        self.assignments = list(Assignment.objects.all())
        self.groups = _pairs(User.groups.through.objects.values_list("user_id", "group_id"))
        self.parents = _pairs(RoleEdge.objects.values_list("child_id", "parent_id"))
        self.allowed = self._names(Role.permissions.through.objects.values_list("role_id", "permission_id"))
        self.denied = self._names(Role.denials.through.objects.values_list("role_id", "permission_id"))
        for wildcard in Wildcard.objects.all():
            names = {
                name
                for name, models in self.models.items()
                for app, model in models
                if wildcard.app_label == app and wildcard.model in ("", model)
            }
            (self.denied if wildcard.denies else self.allowed)[wildcard.role_id] |= names
        self.alone = self._names(User.user_permissions.through.objects.values_list("user_id", "permission_id"))
        self.alone_by_group = self._names(Group.permissions.through.objects.values_list("group_id", "permission_id"))
        self.objects = [
            (holder, row.permission_id, (row.content_type_id, row.object_pk))
            for table, kind in ((UserObjectPermission, "user"), (GroupObjectPermission, "group"))
            for row in table.objects.all()
            for holder in [(kind, getattr(row, f"{kind}_id"))]
        ]

    def held(self, user: Any, scopes: Any, moment: Any) -> set[str]:
        """Return what *user* may at *moment* for an object in these scopes, its own first. Empty: everywhere."""
        groups, yes, no = self.groups[user.pk], set[str](), set[str]()
        roles = [
            a.role_id
            for a in self.assignments
            if (a.user_id == user.pk or a.group_id in groups)
            and a.valid_from <= moment
            and (a.valid_until is None or moment < a.valid_until)
            and (a.scope_type_id, a.scope_id) in [(None, ""), *scopes]
        ]
        for role in roles:  # the list grows
            roles += [parent for parent in self.parents[role] if parent not in roles]
            yes |= self.allowed[role]
            no |= self.denied[role]
        if not scopes:
            yes |= self.alone[user.pk].union(*(self.alone_by_group[group] for group in groups))
        holders = {("user", user.pk), *(("group", group) for group in groups)}
        yes |= {self._name(p) for holder, p, scope in self.objects if holder in holders and scope in scopes[:1]}
        return yes - no if user.is_active else set()

    def _name(self, permission: int) -> str:
        app, _model, codename = self.kinds[permission]
        return f"{app}.{codename}"

    def _names(self, pairs: Any) -> dict[Any, set[str]]:
        names: dict[Any, set[str]] = defaultdict(set)
        for key, permission in pairs:
            names[key].add(self._name(permission))
        return names


def _pairs(rows: Any) -> dict[Any, list[Any]]:
    pairs: dict[Any, list[Any]] = defaultdict(list)
    for first, second in rows:
        pairs[first].append(second)
    return pairs
