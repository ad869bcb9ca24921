"""What should be answered, worked out by looking at every row there is; knows the models and nothing else of ours."""

from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from guardian.models import GroupObjectPermission, UserObjectPermission

from auth_rbac.models import Assignment, RoleEdge, Wildcard


def may(user: Any, name: str, obj: Any, moment: Any, around: tuple[Any, ...] = ()) -> bool:
    """Say whether *user* may, at *moment*; *around* are the objects in whose scope *obj* lies."""

    def is_it(p: Permission) -> bool:
        return f"{p.content_type.app_label}.{p.codename}" == name

    groups, yes, no, roles = list(user.groups.all()), list[Any](), list[Any](), list[Any]()
    scopes = [(ContentType.objects.get_for_model(x).pk, str(x.pk)) for x in (obj, *around) if x]
    for a in Assignment.objects.all():
        is_now = a.valid_from <= moment and (a.valid_until is None or moment < a.valid_until)
        if (a.user == user or a.group in groups) and is_now and (a.scope_type_id, a.scope_id) in [(None, ""), *scopes]:
            roles.append(a.role)
    for role in roles:  # which grows meanwhile, until every parent was looked at
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
