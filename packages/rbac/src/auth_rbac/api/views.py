"""The views of roles and assignments."""

from typing import Any
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.pagination import page_response
from auth_core.api.serializers import NoFilters
from auth_core.api.shapes import page_of
from auth_core.api.views import ApiView
from auth_core.errors import NotFound
from auth_core.people import find_by_subject_id, identity_of
from auth_rbac.api.permissions import MayManage
from auth_rbac.api.serializers import AssignmentBody, AssignmentFilters
from auth_rbac.api.shapes import AssignmentShape, RoleShape
from auth_rbac.assigning import assign_role, revoke_role
from auth_rbac.models import Assignment, Role
from auth_rbac.roles import labels_of


class RoleListView(ApiView):
    """``GET roles/``: which roles are there, and what may they do?"""

    permission_classes = (MayManage,)
    model_name = "role"
    answers = {"get": {200: page_of(RoleShape)}}

    def get(self, request: Request) -> Response:
        """Return one page, newest first."""
        NoFilters.parse_query(request)
        return page_response(request, Role.objects.prefetch_related("permissions__content_type"), role_body)


class AssignmentListView(ApiView):
    """``assignments/``: who holds which role? Give somebody one."""

    permission_classes = (MayManage,)
    model_name = "assignment"
    bodies = {"post": AssignmentBody}
    filters = AssignmentFilters
    answers = {"get": {200: page_of(AssignmentShape)}, "post": {201: AssignmentShape}}

    def get(self, request: Request) -> Response:
        """Return one page, newest first; also of what has not begun or is over."""
        asked = AssignmentFilters.parse_query(request)
        rows = Assignment.objects.select_related("user__auth_identity", "granted_by__auth_identity")
        if asked.user is not None:
            rows = rows.filter(user__auth_identity__subject_id=asked.user)
        if asked.role is not None:
            rows = rows.filter(role_id=asked.role)
        return page_response(request, rows, assignment_body)

    def post(self, request: Request) -> Response:
        """Return 201; it holds on the person's next request."""
        body = AssignmentBody.parse(request)
        user, role = find_by_subject_id(body.user), Role.objects.filter(pk=body.role).first()
        if user is None or role is None:
            raise NotFound
        assignment = assign_role(
            user=user,
            role=role,
            granted_by=request.user,
            reason=body.reason or "",
            valid_from=body.valid_from,
            valid_until=body.valid_until,
        )
        location = {"Location": request.build_absolute_uri(f"{request.path}{assignment.pk}/")}
        return Response(assignment_body(assignment), status=status.HTTP_201_CREATED, headers=location)


class AssignmentView(ApiView):
    """``assignments/{id}/``: one assignment; take it away."""

    permission_classes = (MayManage,)
    model_name = "assignment"
    answers = {"get": {200: AssignmentShape}, "delete": {204: None}}

    def get(self, request: Request, assignment_id: UUID) -> Response:
        """Return it."""
        return Response(assignment_body(_found(assignment_id)))

    def delete(self, request: Request, assignment_id: UUID) -> Response:
        """Return 204; the role is gone on the person's next request."""
        if not revoke_role(assignment=_found(assignment_id), revoked_by=request.user):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


def role_body(role: Role) -> dict[str, Any]:
    """Return the ``role`` shape."""
    return {
        "id": str(role.pk),
        "name": role.name,
        "description": role.description,
        "permissions": labels_of(role),
        "created_at": role.created_at,
    }


def assignment_body(assignment: Assignment) -> dict[str, Any]:
    """Return the ``assignment`` shape; people are known by their public ids."""
    granted_by = assignment.granted_by
    return {
        "id": str(assignment.pk),
        "user": str(identity_of(assignment.user).subject_id),
        "role": str(assignment.role_id),
        "reason": assignment.reason,
        "valid_from": assignment.valid_from,
        "valid_until": assignment.valid_until,
        "granted_by": None if granted_by is None else str(identity_of(granted_by).subject_id),
        "created_at": assignment.created_at,
    }


def _found(assignment_id: UUID) -> Assignment:
    assignment = Assignment.objects.filter(pk=assignment_id).first()
    if assignment is None:
        raise NotFound
    return assignment
