"""The permissions of the views. They are Django's permissions, never ``is_staff`` alone."""

from typing import TYPE_CHECKING, Any, ClassVar

from rest_framework.request import Request

from auth_core.administration import Act
from auth_core.api.permissions import Administers

if TYPE_CHECKING:
    from rest_framework.views import APIView


class _May(Administers):
    """Users with one permission. Every subclass must name one."""

    permission: ClassVar[str]

    def may(self, request: Request, view: "APIView") -> bool:
        """Ask the authentication backends."""
        user: Any = request.user
        return bool(user.is_authenticated and user.has_perm(self.permission))


class MaySeeFactors(_May):
    """Users who may see the second factors of others."""

    permission = "auth_mfa.view_totpfactor"


class MayResetFactors(_May):
    """Users who may reset the second factors of others."""

    permission = "auth_mfa.reset_factors"
    changes_are = Act.CRITICAL
