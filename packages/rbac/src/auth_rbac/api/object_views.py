"""The views of permissions for single objects."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.answers import page_of
from auth_core.api.pagination import page_response
from auth_core.api.views import ApiView
from auth_core.errors import Conflict, FieldError, InvalidRequest, NotFound, PermissionRefused
from auth_core.users import UserLike
from auth_rbac.api.answers import ObjectPermissionShape
from auth_rbac.api.bodies import ObjectPermissionBody, ObjectPermissionFilters, named_holder
from auth_rbac.api.permissions import MayManage
from auth_rbac.api.views import named_object
from auth_rbac.decisions.decisions import check
from auth_rbac.decisions.visibility import reaches
from auth_rbac.holders.lookup import find_holder, holder_of
from auth_rbac.models import Holder, HolderKind
from auth_rbac.not_found_policy import hidden
from auth_rbac.objects.grants import find_permission, grant_rows, permit, withdraw
from auth_rbac.objects.object_ids import find_objects, model_named, pack, unpack, wire_id, wire_ids
from auth_rbac.objects.object_list import SEES, ObjectPermission, ObjectRows, object_rows
from auth_rbac.permission_names import find_all

#: The holder, the permission and the object of an object permission.
_Grant = tuple[Any, str, models.Model]


class ObjectPermissionListView(ApiView):
    """``object-permissions/``: list and grant permissions for single objects."""

    permission_classes = (MayManage,)
    model_name = "assignment"
    bodies = {"post": ObjectPermissionBody}
    filters = ObjectPermissionFilters
    answers = {"get": {200: page_of(ObjectPermissionShape)}, "post": {201: ObjectPermissionShape}}

    def get(self, request: Request) -> Response:
        """Return one page. Permissions from roles are not included."""
        filters = ObjectPermissionFilters.parse_query(request)
        ids: dict[tuple[str, str], str] = {}

        def gather(page: Sequence[ObjectPermission]) -> None:
            for kind in {row.kind for row in page}:
                names = wire_ids(kind, {row.key for row in page if row.kind == kind})
                ids.update({(kind, key): name for key, name in names.items()})

        def show(row: ObjectPermission) -> dict[str, Any]:
            holder = holder_of(row.user or row.group)
            return object_permission_body(holder, row.permission, row.kind, ids[row.kind, row.key])

        rows: Any = _filtered_rows(request.user, filters)
        return page_response(request, rows, show, ordering="-position", gather=gather)

    def post(self, request: Request) -> Response:
        """Return 201. The permission is in force on the next request. 409: the holder already has it."""
        body = ObjectPermissionBody.parse(request)
        find_all([body.permission], "permission")
        obj = named_object(request.user, body.object, "object.type")
        holder = find_holder(body.holder)
        if not permit(holder=holder, permission=body.permission, obj=obj, actor=request.user):
            raise Conflict
        created = object_permission_body(body.holder, body.permission, obj._meta.label_lower, wire_id(obj))
        return self.created(created, below=f"{created['id']}/")


class ObjectPermissionView(ApiView):
    """``object-permissions/{id}/``: show and revoke one permission for one object."""

    permission_classes = (MayManage,)
    model_name = "assignment"
    answers = {"get": {200: ObjectPermissionShape}, "delete": {204: None}}

    def get(self, request: Request, object_permission_id: str) -> Response:
        """Return the permission."""
        holder, permission, obj = _find(request.user, object_permission_id, SEES)
        if not grant_rows(holder, find_permission(permission, obj), obj).exists():
            raise NotFound
        return Response(object_permission_body(holder_of(holder), permission, obj._meta.label_lower, wire_id(obj)))

    def delete(self, request: Request, object_permission_id: str) -> Response:
        """Return 204. The permission ends with the next request, unless a role allows it as well."""
        holder, permission, obj = _find(request.user, object_permission_id, "auth_rbac.delete_assignment")
        if not withdraw(holder=holder, permission=permission, obj=obj, actor=request.user):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


def object_permission_body(holder: Holder, permission: str, kind: str, object_id: str) -> dict[str, Any]:
    """Return the ``object_permission`` shape. It has the public ids of people and groups.

    The id packs holder, permission and object, because the keys of guardian's rows are not public.
    """
    return {
        "id": pack(holder.kind.value, str(holder.id), permission, kind, object_id),
        "holder": holder.to_json(),
        "permission": permission,
        "object": {"type": kind, "id": object_id},
    }


def _filtered_rows(user: UserLike, filters: ObjectPermissionFilters) -> ObjectRows:
    """Return the rows that match the filters and that *user* may see."""
    arguments: dict[str, Any] = {}
    if filters.permission is not None:
        arguments["permissions"] = find_all([filters.permission], "permission")
    if filters.type is not None:
        arguments["model"] = model_named(filters.type)
    if filters.id is not None:
        arguments["obj"] = _filtered_object(user, arguments.get("model"), filters.id)
    holder = named_holder(filters.holder_kind, filters.holder, "holder_kind")
    if holder is not None:
        try:
            arguments["holder"] = find_holder(holder)
        except InvalidRequest:
            return ObjectRows([])
    elif filters.holder_kind is not None:
        arguments["holder_kind"] = HolderKind(filters.holder_kind)
    return object_rows(seen_by=user, **arguments)


def _filtered_object(user: UserLike, model: type[models.Model] | None, object_id: str) -> models.Model:
    """Return the object that a filter names.

    Raises:
        InvalidRequest: the filter does not name its kind.
        NotFound: it does not exist, or the user may not know of it. Both look the same.
        PermissionRefused: the user may view it, but not what others hold for it.
    """
    if model is None:
        raise InvalidRequest(FieldError("type", "required", _("Enter a type together with the id.")))
    (obj,) = find_objects(model, [object_id])
    if not reaches(user, SEES, obj):
        raise PermissionRefused if check(user, "view", obj) else hidden()
    return obj


def _find(user: UserLike, packed: str, needed: str) -> _Grant:
    """Return what an id names, if *user* has the permission *needed* there or may see it.

    Raises:
        NotFound: the id names nothing, is not in its canonical form, or *user* may not. All look the same.
    """
    try:
        who, name, permission, kind, object_id = unpack(packed)
        (obj,) = find_objects(model_named(kind), [object_id])
        named = Holder(HolderKind(who), UUID(name))
        if named.kind is HolderKind.SERVICE:
            raise NotFound  # A service has no permissions for single objects.
        holder = find_holder(named)
        find_permission(permission, obj)
    except (ValueError, InvalidRequest):
        raise NotFound from None
    # An object permission has only one id: other spellings of a type, a name or the id itself are refused.
    canonical_id = object_permission_body(named, permission, obj._meta.label_lower, wire_id(obj))["id"]
    if canonical_id != packed or "." not in permission:
        raise NotFound
    if not (check(user, needed, obj) or reaches(user, SEES, obj)):
        raise hidden()
    return holder, permission, obj
