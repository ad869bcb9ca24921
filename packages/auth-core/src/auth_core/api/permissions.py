"""Who may call what; by Django's permissions, never by ``is_staff`` alone."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class MayInvite(BasePermission):
    """Whoever may add, see or delete invitations, by the method they use."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Ask the authentication backends; nobody has no permission."""
        needed = {"GET": "view", "HEAD": "view", "OPTIONS": "view", "DELETE": "delete"}.get(str(request.method), "add")
        user: Any = request.user
        return bool(user.is_authenticated and user.has_perm(f"auth_core.{needed}_invitation"))
