"""Who may call what; by Django's permissions, never by ``is_staff`` alone."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

_NEEDED = {"GET": "view", "HEAD": "view", "OPTIONS": "view", "POST": "add", "DELETE": "delete"}


class MayManage(BasePermission):
    """Whoever has the permission that the method needs, on the view's `model_name`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Ask the authentication backends; nobody has no permission."""
        user: Any = request.user
        needed = f"auth_rbac.{_NEEDED.get(str(request.method), 'change')}_{view.model_name}"
        return bool(user.is_authenticated and user.has_perm(needed))
