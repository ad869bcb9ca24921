"""Permissions of views. They use Django's permissions, never ``is_staff`` alone."""

from typing import TYPE_CHECKING, Any

from rest_framework.request import Request

from auth_core.api.permissions import Administers

if TYPE_CHECKING:
    from rest_framework.views import APIView


class MaySearchSessions(Administers):
    """Requires the permission to view sessions, and for writes to change them."""

    def may(self, request: Request, view: "APIView") -> bool:
        """Ask the authentication backends. An anonymous caller has no permission."""
        action = {"GET": "view", "HEAD": "view", "OPTIONS": "view"}.get(str(request.method), "change")
        user: Any = request.user
        return bool(user.is_authenticated and user.has_perm(f"auth_sessions.{action}_session"))
