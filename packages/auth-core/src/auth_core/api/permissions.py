"""Permission classes. They check Django's permissions, never ``is_staff`` alone."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from auth_core.administration import Act, check_administrator
from auth_core.assurance.evidence import check_assurance, session_of
from auth_core.assurance.levels import Assurance

if TYPE_CHECKING:
    from rest_framework.views import APIView


class Administers(BasePermission):
    """The base of permissions for administrators: the permission, then a recent proof as `ADMINISTRATION` demands.

    A person without the permission is refused first, without a request for proof.

    Raises:
        InsufficientUserAuthentication: the proof of the session is too weak or too old (RFC 9470).
    """

    #: The kind of act of every unsafe method.
    changes_are: ClassVar[Act] = Act.CHANGE

    def may(self, request: Request, view: "APIView") -> bool:
        """Return whether the user of *request* holds the permission."""
        raise NotImplementedError

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Check the permission, then the proof of the session."""
        if not self.may(request, view):
            return False
        check_administrator(session_of(request), Act.READ if request.method in SAFE_METHODS else self.changes_are)
        return True


class MayInvite(Administers):
    """The permission to view, add or delete invitations, by HTTP method."""

    def may(self, request: Request, view: "APIView") -> bool:
        """Ask the authentication backends. An anonymous user has no permission."""
        needed = {"GET": "view", "HEAD": "view", "OPTIONS": "view", "DELETE": "delete"}.get(str(request.method), "add")
        user: Any = request.user
        return bool(user.is_authenticated and user.has_perm(f"auth_core.{needed}_invitation"))


class RequireAssurance(BasePermission):
    """A minimum assurance, proved recently: ``permission_classes = [RequireAssurance("aal2", max_age=…)]``.

    Raises:
        NotAuthenticated: the caller is not signed in.
        InsufficientUserAuthentication: the proof of the session is too weak or too old (RFC 9470).
    """

    def __init__(self, acr: str, *, max_age: timedelta | None = None) -> None:
        self.needed = Assurance.from_acr(acr)
        self.max_age = max_age

    def __call__(self) -> Self:
        """Return itself, because DRF calls each member of ``permission_classes``."""
        return self

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Check the session. The exception names what is missing."""
        check_assurance(session_of(request), self.needed, self.max_age)
        return True
