"""Permissions for single objects, in django-guardian's tables. Each change is recorded in its transaction."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import models, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from auth_core.errors import FieldError, InvalidRequest
from auth_core.events import Event, record
from auth_core.users import UserLike
from auth_rbac.decisions.decision_cache import forget_instance
from auth_rbac.events import RbacEvent
from auth_rbac.holders.lookup import holder_of
from auth_rbac.models.version import lock_graph
from auth_rbac.permission_names import full_name, label_of, parts_of
from auth_rbac.roles import delegation
from auth_rbac.scopes import kind_of


def permit(*, holder: UserLike | Group, permission: str, obj: models.Model, actor: UserLike | None = None) -> bool:
    """Give *holder*, a person or a group, a permission for *obj*. Return whether it is new.

    Args:
        permission: A verb (``view``), a codename of the model's app, or ``app.codename``.
        actor: The person who gives it. They must hold it for *obj*, and ``auth_rbac.add_assignment`` there.

    Raises:
        InvalidRequest: *obj*'s model has no such permission.
        PermissionRefused: *actor* may not.
    """
    granted = find_permission(permission, obj)
    with transaction.atomic():
        _require_authority(actor, "auth_rbac.add_assignment", granted, obj)
        table, key = _key(holder, granted, obj)
        _row, is_new = table.objects.get_or_create(**key, defaults={"content_object": obj})
        if is_new:
            _record(RbacEvent.OBJECT_PERMITTED, holder, granted, obj, actor)
    forget_instance(holder)
    return bool(is_new)


def withdraw(*, holder: UserLike | Group, permission: str, obj: models.Model, actor: UserLike | None = None) -> bool:
    """Take a permission for *obj* from *holder*, once. Return whether this call took it.

    Roles and denials are not affected.

    Args:
        permission: As in `permit`.
        actor: The person who takes it. They must hold it for *obj*, and ``auth_rbac.delete_assignment`` there.

    Raises:
        InvalidRequest: *obj*'s model has no such permission.
        PermissionRefused: *actor* may not.
    """
    granted = find_permission(permission, obj)
    with transaction.atomic():
        _require_authority(actor, "auth_rbac.delete_assignment", granted, obj)
        deleted, _by_model = grant_rows(holder, granted, obj).delete()
        if deleted:
            _record(RbacEvent.OBJECT_WITHDRAWN, holder, granted, obj, actor)
    forget_instance(holder)
    return bool(deleted)


def find_permission(name: str, obj: models.Model) -> Permission:
    """Return the permission of this name for *obj*.

    Raises:
        InvalidRequest: there is none.
    """
    app, codename = parts_of(full_name(name, type(obj)))
    named = Permission.objects.filter(content_type=kind_of(type(obj)), content_type__app_label=app, codename=codename)
    permissions = named.select_related("content_type")
    permission = permissions.first()
    if permission is None:
        raise InvalidRequest(
            FieldError("permission", "unknown", _("This permission does not exist for this kind of object."))
        )
    return permission


def grant_rows(holder: UserLike | Group, permission: Permission, obj: models.Model) -> "QuerySet[Any]":
    """Return the row of a permission for *obj* in guardian's table, or an empty queryset if *holder* lacks it."""
    table, key = _key(holder, permission, obj)
    rows: QuerySet[Any] = table.objects.filter(**key)
    return rows


def _key(holder: UserLike | Group, permission: Permission, obj: models.Model) -> tuple[Any, dict[str, Any]]:
    """Return guardian's table for *obj*, and the fields that identify at most one row."""
    is_group = isinstance(holder, Group)
    table: Any = (get_group_obj_perms_model if is_group else get_user_obj_perms_model)(obj)
    key = {"group" if is_group else "user": holder, "permission": permission}
    if table.objects.is_generic():
        return table, {**key, "content_type_id": kind_of(type(obj)), "object_pk": str(obj.pk)}
    return table, {**key, "content_object": obj}


def _require_authority(actor: UserLike | None, needed: str, permission: Permission, obj: models.Model) -> None:
    """Refuse an actor without authority, under the lock of the graph, so that it does not change meanwhile."""
    if actor is not None:
        lock_graph()
        delegation.require(actor, needed, obj)
        delegation.require_permission(actor, label_of(permission), obj)


def _record(
    name: RbacEvent, holder: UserLike | Group, permission: Permission, obj: models.Model, actor: UserLike | None
) -> None:
    is_group = isinstance(holder, Group)
    data = {"permission": label_of(permission), **holder_of(holder).to_event()}
    target = (obj._meta.label_lower, str(obj.pk))
    record(Event(name=name, subject=None if is_group else holder, actor=actor, target=target, data=data))
