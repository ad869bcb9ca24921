"""Who may call what; by Django's permissions, never by ``is_staff`` alone."""

from typing import Any

from rest_framework.request import Request

from auth_core.api.permissions import Administers


class MaySearchSessions(Administers):
    """Whoever may see everybody's sessions, and to end one, change them."""

    def may(self, request: Request, view: Any) -> bool:
        """Ask the authentication backends; nobody has no permission."""
        needed = {"GET": "view", "HEAD": "view", "OPTIONS": "view"}.get(str(request.method), "change")
        user: Any = request.user
        return bool(user.is_authenticated and user.has_perm(f"auth_sessions.{needed}_session"))
