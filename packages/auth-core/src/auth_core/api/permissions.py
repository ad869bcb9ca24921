"""Who may call what; by Django's permissions, never by ``is_staff`` alone."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from auth_core.administration import Act, check_administrator
from auth_core.assurance.evidence import check_assurance, session_of
from auth_core.assurance.levels import Assurance


class Administers(BasePermission):
    """The base of what lets administrators in: whoever may, and has proved lately what `ADMINISTRATION` asks for.

    Whoever may not is told just that, and proves nothing first.

    Raises:
        InsufficientUserAuthentication: the session has proved less, or too long ago (RFC 9470).
    """

    #: What every method is that does not only read.
    changes_are: ClassVar[Act] = Act.CHANGE

    def may(self, request: Request, view: Any) -> bool:
        """Say whether whoever asks holds the permission; nobody has none."""
        raise NotImplementedError

    def has_permission(self, request: Request, view: Any) -> bool:
        """Ask for the permission, then the session."""
        if not self.may(request, view):
            return False
        check_administrator(session_of(request), Act.READ if request.method in SAFE_METHODS else self.changes_are)
        return True


class MayInvite(Administers):
    """Whoever may add, see or delete invitations, by the method they use."""

    def may(self, request: Request, view: Any) -> bool:
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
