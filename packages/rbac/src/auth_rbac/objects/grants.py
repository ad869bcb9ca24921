"""Permissions for single objects, kept in django-guardian's tables; each change with its event, in one transaction."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import models, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from auth_core.errors import FieldError, InvalidRequest
from auth_core.events import Event, record
from auth_rbac.decisions.decision_cache import forget_instance
from auth_rbac.events import RbacEvent
from auth_rbac.models.version import lock_graph
from auth_rbac.permission_names import full_name, label_of, parts_of
from auth_rbac.roles import delegation
from auth_rbac.scopes import kind_of


def permit(*, holder: Any, permission: str, obj: models.Model, actor: Any = None) -> bool:
    """Let *holder*, a person or a group, do this to *obj*; say whether they had not been given it before.

    Args:
        permission: A verb (``view``), a codename of the model's app, or ``app.codename``.
        actor: Who gives it: must hold it for *obj* themselves, and ``auth_rbac.add_assignment`` there.

    Raises:
        InvalidRequest: *obj*'s model has no such permission.
        PermissionRefused: *actor* may not.
    """
    found = find_permission(permission, obj)
    with transaction.atomic():
        _hold_authority(actor, "auth_rbac.add_assignment", found, obj)
        table, key = _key(holder, found, obj)
        _row, is_new = table.objects.get_or_create(**key, defaults={"content_object": obj})
        if is_new:
            _record(RbacEvent.OBJECT_PERMITTED, holder, found, obj, actor)
    forget_instance(holder)
    return bool(is_new)


def withdraw(*, holder: Any, permission: str, obj: models.Model, actor: Any = None) -> bool:
    """Take it away again, once; say whether this caller was the one who did.

    A denial, or what comes by a role, is not touched.

    Args:
        permission: As in `permit`.
        actor: Who takes it: must hold it for *obj* themselves, and ``auth_rbac.delete_assignment`` there.

    Raises:
        InvalidRequest: *obj*'s model has no such permission.
        PermissionRefused: *actor* may not.
    """
    found = find_permission(permission, obj)
    with transaction.atomic():
        _hold_authority(actor, "auth_rbac.delete_assignment", found, obj)
        gone, _by_model = given(holder, found, obj).delete()
        if gone:
            _record(RbacEvent.OBJECT_WITHDRAWN, holder, found, obj, actor)
    forget_instance(holder)
    return bool(gone)


def find_permission(name: str, obj: models.Model) -> Permission:
    """Return the permission that can be given for *obj* and is called so.

    Raises:
        InvalidRequest: there is none.
    """
    app, codename = parts_of(full_name(name, type(obj)))
    named = Permission.objects.filter(content_type=kind_of(type(obj)), content_type__app_label=app, codename=codename)
    found = named.select_related("content_type").first()
    if found is None:
        raise InvalidRequest(FieldError("permission", "unknown", _("There is no such permission for this object.")))
    return found


def given(holder: Any, permission: Permission, obj: models.Model) -> "QuerySet[Any]":
    """Return the row that says it, in whichever of guardian's tables it would stand; none: it is not given."""
    table, key = _key(holder, permission, obj)
    rows: QuerySet[Any] = table.objects.filter(**key)
    return rows


def _key(holder: Any, permission: Permission, obj: models.Model) -> tuple[Any, dict[str, Any]]:
    """Return guardian's table for *obj*, and what one row of it is known by, of which there is one at most."""
    is_group = isinstance(holder, Group)
    table: Any = (get_group_obj_perms_model if is_group else get_user_obj_perms_model)(obj)
    key = {"group" if is_group else "user": holder, "permission": permission}
    if table.objects.is_generic():
        return table, {**key, "content_type_id": kind_of(type(obj)), "object_pk": str(obj.pk)}
    return table, {**key, "content_object": obj}


def _hold_authority(actor: Any, needed: str, permission: Permission, obj: models.Model) -> None:
    """Refuse an actor who may not, while nobody changes what anybody holds."""
    if actor is not None:
        lock_graph()
        delegation.require(actor, needed, obj)
        delegation.require_permission(actor, label_of(permission), obj)


def _record(name: RbacEvent, holder: Any, permission: Permission, obj: models.Model, actor: Any) -> None:
    is_group = isinstance(holder, Group)
    data = {"permission": label_of(permission), **({"group": str(holder.pk)} if is_group else {})}
    target = (obj._meta.label_lower, str(obj.pk))
    record(Event(name=name, subject=None if is_group else holder, actor=actor, target=target, data=data))
