"""Permissions of Django REST framework that look at the token."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from auth_core.oauth_resource.access.needs import Needs, refuse_offline_access
from auth_core.oauth_resource.api.refusals import refusals_for_drf
from auth_core.oauth_resource.errors import InsufficientScope
from auth_core.oauth_resource.tokens.access_token import VerifiedToken

if TYPE_CHECKING:
    from rest_framework.views import APIView


class _OfToken(BasePermission):
    """The base of permissions that are instances: DRF calls each member of ``permission_classes``."""

    def __call__(self) -> Self:
        """Return itself."""
        return self


class RequireScopes(_OfToken):
    """The scopes that a token needs: ``permission_classes = [RequireScopes("notes:read")]``, or one for each method.

    Other credentials have no scopes. They pass if the person is signed in, as `IsAuthenticated` decides.

    Args:
        scopes: All of them are needed, whatever the method.
        of_method: Further scopes by method, separated by spaces: ``RequireScopes(get="notes:read", post="notes:write")``.
            No token opens the methods that are not named.

    Raises:
        ValueError: one is ``offline_access``, which no view needs.
        TokenRefused: the token lacks a scope.
    """

    def __init__(self, *scopes: str, **of_method: str) -> None:
        for text in (*scopes, *of_method.values()):
            refuse_offline_access(text.split())
        self.scopes = scopes
        self.of_method = of_method

    def needs(self, method: str) -> Needs | None:
        """Return what *method* needs. ``None``: no token opens it."""
        name = "get" if method.lower() == "head" else method.lower()
        if self.of_method and name not in self.of_method and name != "options":
            return None
        return Needs(scopes=(*self.scopes, *self.of_method.get(name, "").split()))

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Check the scopes of the token."""
        if not isinstance(request.auth, VerifiedToken):
            user: Any = request.user
            return bool(user and user.is_authenticated)
        with refusals_for_drf():
            needs = self.needs(str(request.method))
            if needs is None:
                raise InsufficientScope
            needs.check(request.auth)
        return True


class RequireDPoP(_OfToken):
    """A token that is bound to a key, which the request proves: ``permission_classes = [RequireDPoP(), …]`` (RFC 9449).

    Other credentials than tokens do not pass.

    Raises:
        TokenRefused: the token is bound to none.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Check the claims of the token."""
        if not isinstance(request.auth, VerifiedToken):
            return False
        with refusals_for_drf():
            Needs(dpop=True).check(request.auth)
        return True


class RequireAssurance(_OfToken):
    """How strongly and how recently the person of the token was authenticated: ``RequireAssurance("aal2", max_age=…)``.

    Args:
        acr: The least value of `acr`. See `ACR_VALUES`.
        max_age: How long ago at most.

    Raises:
        TokenRefused: it was not, with the challenge of RFC 9470.
    """

    def __init__(self, acr: str = "", *, max_age: timedelta | None = None) -> None:
        self.needs = Needs(acr=acr, max_age=max_age)

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Check the claims of the token. Without a token there is nothing to check, and nothing passes."""
        if not isinstance(request.auth, VerifiedToken):
            return False
        with refusals_for_drf():
            self.needs.check(request.auth)
        return True


def needs_of(request: Request) -> Needs | None:
    """Return the scopes that the view of *request* needs. ``None``: it has no `RequireScopes`, so no token opens it."""
    view = (request.parser_context or {}).get("view")
    permissions = [] if view is None else view.get_permissions()
    stated = [each for each in permissions if isinstance(each, RequireScopes)]
    needs = [each.needs(str(request.method)) for each in stated]
    if not needs or None in needs:
        return None
    return Needs(scopes=tuple(dict.fromkeys(scope for each in needs if each for scope in each.scopes)))
