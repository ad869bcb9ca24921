"""Who may read the trail."""

from typing import Any

from rest_framework.request import Request

from auth_core.administration import Act
from auth_core.api.permissions import Administers


class MayReadTrail(Administers):
    """Lets pass who holds ``auth_audit.view_auditentry``; being staff alone is not enough."""

    def may(self, request: Request, view: Any) -> bool:
        """Ask the site's own permissions."""
        return bool(request.user and request.user.has_perm("auth_audit.view_auditentry"))


class MayExportTrail(MayReadTrail):
    """The same; whoever carries the trail out of the house has just proved that it is them (ASVS 7.5.3)."""

    changes_are = Act.CRITICAL
