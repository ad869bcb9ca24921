"""Who may call what; by Django's permissions, never by ``is_staff`` alone."""

from typing import Any, ClassVar

from rest_framework.request import Request

from auth_core.administration import Act
from auth_core.api.permissions import Administers


class _May(Administers):
    """Whoever has one permission; nobody has none."""

    permission: ClassVar[str]

    def may(self, request: Request, view: Any) -> bool:
        """Ask the authentication backends."""
        user: Any = request.user
        return bool(user.is_authenticated and user.has_perm(self.permission))


class MaySeeFactors(_May):
    """Whoever may see what others have."""

    permission = "auth_mfa.view_totpfactor"


class MayResetFactors(_May):
    """Whoever may take all second factors of a person away."""

    permission = "auth_mfa.reset_factors"
    changes_are = Act.CRITICAL
