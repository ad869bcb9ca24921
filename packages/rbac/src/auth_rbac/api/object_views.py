"""The views of permissions for single objects."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.pagination import page_response
from auth_core.api.shapes import page_of
from auth_core.api.views import ApiView
from auth_core.errors import Conflict, FieldError, InvalidRequest, NotFound, PermissionRefused
from auth_core.people.lookup import find_by_subject_id
from auth_rbac.api.permissions import MayManage
from auth_rbac.api.serializers import ObjectPermissionBody, ObjectPermissionFilters
from auth_rbac.api.shapes import ObjectPermissionShape
from auth_rbac.api.views import named_object, public_id
from auth_rbac.decisions.decisions import check
from auth_rbac.decisions.visibility import reaches
from auth_rbac.not_found_policy import hidden
from auth_rbac.objects.grants import find_permission, given, permit, withdraw
from auth_rbac.objects.object_ids import find_objects, model_named, pack, unpack, wire_id, wire_ids
from auth_rbac.objects.object_list import SEES, ObjectPermission, ObjectRows, object_rows
from auth_rbac.permission_names import find_all

#: Holder, permission and object, as an address has them.
_Named = tuple[Any, str, models.Model]


class ObjectPermissionListView(ApiView):
    """``object-permissions/``: who was given what for which object? Give somebody something."""

    permission_classes = (MayManage,)
    model_name = "assignment"
    bodies = {"post": ObjectPermissionBody}
    filters = ObjectPermissionFilters
    answers = {"get": {200: page_of(ObjectPermissionShape)}, "post": {201: ObjectPermissionShape}}

    def get(self, request: Request) -> Response:
        """Return one page; what comes by a role is not in it."""
        asked = ObjectPermissionFilters.parse_query(request)
        if asked.user is not None and asked.group is not None:
            raise InvalidRequest(_one_holder())
        called: dict[tuple[str, str], str] = {}

        def gather(found: Sequence[ObjectPermission]) -> None:
            for kind in {row.kind for row in found}:
                names = wire_ids(kind, {row.key for row in found if row.kind == kind})
                called.update({(kind, key): name for key, name in names.items()})

        def show(row: ObjectPermission) -> dict[str, Any]:
            holder = row.user or row.group
            return object_permission_body(holder, row.permission, row.kind, called[row.kind, row.key])

        rows: Any = _asked_rows(request.user, asked)
        return page_response(request, rows, show, ordering="-position", gather=gather)

    def post(self, request: Request) -> Response:
        """Return 201; it holds on the person's next request. 409: they have been given it already."""
        body = ObjectPermissionBody.parse(request)
        if (body.user is None) == (body.group is None):
            raise InvalidRequest(_one_holder())
        find_all([body.permission], "permission")
        obj = named_object(request.user, body.object, "object.type")
        holder = _holder("group", body.group) if body.user is None else _holder("user", str(body.user))
        if not permit(holder=holder, permission=body.permission, obj=obj, actor=request.user):
            raise Conflict
        made = object_permission_body(holder, body.permission, obj._meta.label_lower, wire_id(obj))
        location = {"Location": request.build_absolute_uri(f"{request.path}{made['id']}/")}
        return Response(made, status=status.HTTP_201_CREATED, headers=location)


class ObjectPermissionView(ApiView):
    """``object-permissions/{id}/``: one permission for one object; take it away."""

    permission_classes = (MayManage,)
    model_name = "assignment"
    answers = {"get": {200: ObjectPermissionShape}, "delete": {204: None}}

    def get(self, request: Request, object_permission_id: str) -> Response:
        """Return it."""
        holder, permission, obj = _found(request.user, object_permission_id, SEES)
        if not given(holder, find_permission(permission, obj), obj).exists():
            raise NotFound
        return Response(object_permission_body(holder, permission, obj._meta.label_lower, wire_id(obj)))

    def delete(self, request: Request, object_permission_id: str) -> Response:
        """Return 204; it is gone on the person's next request, unless a role lets them as well."""
        holder, permission, obj = _found(request.user, object_permission_id, "auth_rbac.delete_assignment")
        if not withdraw(holder=holder, permission=permission, obj=obj, actor=request.user):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


def object_permission_body(holder: Any, permission: str, kind: str, object_id: str) -> dict[str, Any]:
    """Return the ``object_permission`` shape; people are known by their public ids, groups by their names.

    The id says all of it in one text: guardian's rows have numbers, which stay in the house.
    """
    who = ("group", holder.name) if isinstance(holder, Group) else ("user", str(public_id(holder)))
    return {
        "id": pack(*who, permission, kind, object_id),
        "user": None,
        "group": None,
        who[0]: who[1],
        "permission": permission,
        "object": {"type": kind, "id": object_id},
    }


def _asked_rows(user: Any, asked: Any) -> ObjectRows:
    """Return what a list asks for, as far as *user* may see it."""
    wanted: dict[str, Any] = {}
    if asked.permission is not None:
        wanted["permissions"] = find_all([asked.permission], "permission")
    if asked.type is not None:
        wanted["model"] = model_named(asked.type)
    if asked.id is not None:
        wanted["obj"] = _object_asked_about(user, wanted.get("model"), asked.id)
    try:
        if asked.user is not None:
            wanted["holder"] = _holder("user", str(asked.user))
        if asked.group is not None:
            wanted["holder"] = _holder("group", asked.group)
    except NotFound:
        return ObjectRows([])
    return object_rows(seen_by=user, **wanted)


def _object_asked_about(user: Any, model: type[models.Model] | None, object_id: str) -> models.Model:
    """Return the object that a filter names.

    Raises:
        InvalidRequest: it does not say of which kind.
        NotFound: it is not there, or not theirs to know of; the two look the same.
        PermissionRefused: they may see it, and not what others hold for it.
    """
    if model is None:
        raise InvalidRequest(FieldError("type", "required", _("A type with the id, please.")))
    (obj,) = find_objects(model, [object_id])
    if not reaches(user, SEES, obj):
        raise PermissionRefused if check(user, "view", obj) else hidden()
    return obj


def _found(user: Any, packed: str, needed: str) -> _Named:
    """Return what an id names, if *user* may do this there or see it.

    Raises:
        NotFound: it names nothing, or not so, or what is in no place of theirs; all look the same.
    """
    try:
        who, name, permission, kind, object_id = unpack(packed)
        (obj,) = find_objects(model_named(kind), [object_id])
        holder = _holder(who, name)
        find_permission(permission, obj)
    except (ValueError, InvalidRequest):
        raise NotFound from None
    # One thing has one id: no other spelling of a type, a name or the id itself.
    is_spelt_so = object_permission_body(holder, permission, obj._meta.label_lower, wire_id(obj))["id"] == packed
    if not is_spelt_so or "." not in permission:
        raise NotFound
    if not (check(user, needed, obj) or reaches(user, SEES, obj)):
        raise hidden()
    return holder, permission, obj


def _holder(kind: str, name: str) -> Any:
    """Return the person of this public id, or the group of this name.

    Raises:
        NotFound: there is none.
        ValueError: this is no public id.
    """
    found = Group.objects.filter(name=name).first() if kind == "group" else find_by_subject_id(UUID(name))
    if found is None:
        raise NotFound
    return found


def _one_holder() -> FieldError:
    return FieldError("user", "one_holder", _("A person or a group, please."))
