"""The views of roles and assignments."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import models
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.answers import page_of
from auth_core.api.bodies import NoFilters
from auth_core.api.pagination import page_response
from auth_core.api.views import ApiView, or_not_found
from auth_core.errors import NotFound
from auth_core.users import UserLike
from auth_rbac.api.answers import AssignmentShape, GroupShape, RoleShape
from auth_rbac.api.bodies import (
    AssignmentBody,
    AssignmentFilters,
    GroupFilters,
    NamedObject,
    RoleBody,
    RoleChangeBody,
    named_holder,
)
from auth_rbac.api.permissions import MayManage
from auth_rbac.decisions.decisions import check
from auth_rbac.decisions.visibility import visible_assignments
from auth_rbac.holders.lookup import find_holder, public_id
from auth_rbac.models import Assignment, Holder, HolderKind, Role
from auth_rbac.models.holder import public_id_of_group
from auth_rbac.objects.object_ids import find_objects, model_named, wire_id
from auth_rbac.permission_names import find_all
from auth_rbac.roles.assignments import assign_role, revoke_role, scope_of
from auth_rbac.roles.roles import CONTENT_RELATIONS, change_role, content_by_kind, create_role, delete_role

_WITH = ("user__auth_identity", "granted_by__auth_identity", "group__rbac_identity", "scope_type")

#: The column of an assignment with the public id of its holder, by the kind of the holder.
_HOLDER_COLUMNS = {
    HolderKind.PERSON: "user__auth_identity__subject_id",
    HolderKind.GROUP: "group__rbac_identity__public_id",
    HolderKind.SERVICE: "service_id",
}


class RoleListView(ApiView):
    """``roles/``: list and create roles."""

    permission_classes = (MayManage,)
    model_name = "role"
    bodies = {"post": RoleBody}
    filters = NoFilters
    answers = {"get": {200: page_of(RoleShape)}, "post": {201: RoleShape}}

    def get(self, request: Request) -> Response:
        """Return one page, newest first."""
        NoFilters.parse_query(request)
        return page_response(request, Role.objects.prefetch_related(*CONTENT_RELATIONS), role_body)

    def post(self, request: Request) -> Response:
        """Return 201. The role contains no more than its creator holds."""
        body = RoleBody.parse(request)
        content = {kind: values if values is not None else () for kind, values in _content(body).items()}
        role = create_role(name=body.name, description=body.description or "", actor=request.user, **content)
        return self.created(role_body(role), below=f"{role.pk}/")


class RoleView(ApiView):
    """``roles/{id}/``: show, change and delete a role."""

    permission_classes = (MayManage,)
    model_name = "role"
    bodies = {"patch": RoleChangeBody}
    answers = {"get": {200: RoleShape}, "patch": {200: RoleShape}, "delete": {204: None}}

    def get(self, request: Request, role_id: UUID) -> Response:
        """Return the role."""
        return Response(role_body(_role(role_id)))

    def patch(self, request: Request, role_id: UUID) -> Response:
        """Return the changed role. The change is in force on the next request of its holders."""
        body, role = RoleChangeBody.parse(request), _role(role_id)
        change_role(role=role, description=body.description, actor=request.user, **_content(body))
        return Response(role_body(_role(role_id)))

    def delete(self, request: Request, role_id: UUID) -> Response:
        """Return 204. All holders lose the role."""
        delete_role(role=_role(role_id), actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class AssignmentListView(ApiView):
    """``assignments/``: list assignments, and assign roles."""

    permission_classes = (MayManage,)
    model_name = "assignment"
    bodies = {"post": AssignmentBody}
    filters = AssignmentFilters
    answers = {"get": {200: page_of(AssignmentShape)}, "post": {201: AssignmentShape}}

    def get(self, request: Request) -> Response:
        """Return one page, newest first. Assignments that have ended or not yet begun are included."""
        filters = AssignmentFilters.parse_query(request)
        rows = visible_assignments(request.user).select_related(*_WITH)
        holder = named_holder(filters.holder_kind, filters.holder, "holder_kind")
        if holder is not None:
            rows = rows.filter(**{_HOLDER_COLUMNS[holder.kind]: holder.id})
        elif filters.holder_kind is not None:
            rows = rows.of_kind(HolderKind(filters.holder_kind))
        if filters.role is not None:
            rows = rows.filter(role_id=filters.role)
        return page_response(request, rows, assignment_body)

    def post(self, request: Request) -> Response:
        """Return 201. The role is in force on the holder's next request."""
        body = AssignmentBody.parse(request)
        assignment = assign_role(
            **_holder_arguments(body.holder),
            role=_role(body.role),
            scope=None if body.scope is None else named_object(request.user, body.scope, "scope.type"),
            granted_by=request.user,
            reason=body.reason or "",
            valid_from=body.valid_from,
            valid_until=body.valid_until,
        )
        return self.created(assignment_body(assignment), below=f"{assignment.pk}/")


class AssignmentView(ApiView):
    """``assignments/{id}/``: show and revoke an assignment."""

    permission_classes = (MayManage,)
    model_name = "assignment"
    answers = {"get": {200: AssignmentShape}, "delete": {204: None}}

    def get(self, request: Request, assignment_id: UUID) -> Response:
        """Return the assignment."""
        return Response(assignment_body(_assignment(request.user, assignment_id, "auth_rbac.view_assignment")))

    def delete(self, request: Request, assignment_id: UUID) -> Response:
        """Return 204. The role ends with the holder's next request."""
        assignment = _assignment(request.user, assignment_id, "auth_rbac.delete_assignment")
        if not revoke_role(assignment=assignment, revoked_by=request.user):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


class GroupListView(ApiView):
    """``groups/``: list the groups of the site, with the public ids that assignments name them by."""

    permission_classes = (MayManage,)
    model_name = "assignment"
    filters = GroupFilters
    answers = {"get": {200: page_of(GroupShape)}}

    def get(self, request: Request) -> Response:
        """Return one page, newest first."""
        filters = GroupFilters.parse_query(request)
        rows = Group.objects.select_related("rbac_identity")
        if filters.name is not None:
            rows = rows.filter(name=filters.name)
        return page_response(request, rows, _group_body, ordering="-pk")


def role_body(role: Role) -> dict[str, Any]:
    """Return the ``role`` shape."""
    return {
        "id": str(role.pk),
        "name": role.name,
        "description": role.description,
        **content_by_kind(role),
        "created_at": role.created_at,
    }


def assignment_body(assignment: Assignment) -> dict[str, Any]:
    """Return the ``assignment`` shape. It has the public ids of people, groups and services."""
    return {
        "id": str(assignment.pk),
        "holder": assignment.holder.to_json(),
        "role": str(assignment.role_id),
        "scope": _scope_body(assignment),
        "reason": assignment.reason,
        "valid_from": assignment.valid_from,
        "valid_until": assignment.valid_until,
        "granted_by": public_id(assignment.granted_by),
        "created_at": assignment.created_at,
    }


def named_object(user: UserLike, named: NamedObject, field: str) -> models.Model:
    """Return the object that a body names, if the caller may view it or grant something there.

    Raises:
        InvalidRequest: the kind of object is unknown. *field* is the field of the request that names it.
        NotFound: the object does not exist, or the caller may not know of it.
    """
    (obj,) = find_objects(model_named(named["type"], field), [named["id"]])
    if not check(user, "auth_rbac.add_assignment", obj) and not check(user, "view", obj):
        raise NotFound
    return obj


def _group_body(group: Group) -> dict[str, str]:
    return {"id": str(public_id_of_group(group)), "name": group.name}


def _holder_arguments(holder: Holder) -> dict[str, Any]:
    """Return the holder as an argument of `assign_role`. That function refuses a service that does not exist."""
    if holder.kind is HolderKind.SERVICE:
        return {"service_id": holder.id}
    return {"user" if holder.kind is HolderKind.PERSON else "group": find_holder(holder)}


def _scope_body(assignment: Assignment) -> dict[str, str] | None:
    """Return the scope of an assignment. A deleted object keeps its key."""
    if assignment.scope_type is None:
        return None
    obj = scope_of(assignment)
    kind = f"{assignment.scope_type.app_label}.{assignment.scope_type.model}"
    return {"type": kind, "id": assignment.scope_id if obj is None else wire_id(obj)}


def _content(body: RoleBody | RoleChangeBody) -> dict[str, Any]:
    """Return the content of a role in a body, by kind. ``None``: that kind is left out."""
    return {
        "permissions": None if body.permissions is None else find_all(body.permissions, "permissions"),
        "denials": None if body.denials is None else find_all(body.denials, "denials"),
        "wildcards": body.wildcards,
        "denied_wildcards": body.denied_wildcards,
        "parents": None if body.parents is None else [_role(pk) for pk in body.parents],
    }


def _assignment(user: UserLike, assignment_id: UUID, permission: str) -> Assignment:
    """Return an assignment, if *user* has the permission in its scope.

    Raises:
        NotFound: it does not exist, or *user* does not have the permission. Both look the same.
    """
    assignment: Assignment = or_not_found(
        Assignment.objects.select_related(*_WITH, "role").filter(pk=assignment_id).first()
    )
    if not check(user, permission, scope_of(assignment)):
        raise NotFound
    return assignment


def _role(role_id: UUID) -> Role:
    role: Role = or_not_found(Role.objects.filter(pk=role_id).first())
    return role
