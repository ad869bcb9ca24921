"""Who may call what; by Django's permissions, never by ``is_staff`` alone."""

from datetime import timedelta
from typing import Any, Self

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from auth_core.assurance import Assurance
from auth_core.evidence import check_assurance, session_of


class MayInvite(BasePermission):
    """Whoever may add, see or delete invitations, by the method they use."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Ask the authentication backends; nobody has no permission."""
        needed = {"GET": "view", "HEAD": "view", "OPTIONS": "view", "DELETE": "delete"}.get(str(request.method), "add")
        user: Any = request.user
        return bool(user.is_authenticated and user.has_perm(f"auth_core.{needed}_invitation"))


class RequireAssurance(BasePermission):
    """Whoever has proved enough, lately: ``permission_classes = [RequireAssurance("aal2", max_age=…)]``.

    Raises:
        NotAuthenticated: nobody is signed in.
        InsufficientUserAuthentication: the session has proved less, or too long ago (RFC 9470).
    """

    def __init__(self, acr: str, *, max_age: timedelta | None = None) -> None:
        self.needed = Assurance.from_acr(acr)
        self.max_age = max_age

    def __call__(self) -> Self:
        """Return itself: DRF calls what it finds in ``permission_classes``."""
        return self

    def has_permission(self, request: Request, view: Any) -> bool:
        """Ask the session; what is missing is told."""
        check_assurance(session_of(request), self.needed, self.max_age)
        return True
