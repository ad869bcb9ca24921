"""Who may read the trail."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class MayReadTrail(BasePermission):
    """Lets pass who holds ``auth_audit.view_auditentry``; being staff alone is not enough."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Ask the site's own permissions."""
        return bool(request.user and request.user.has_perm("auth_audit.view_auditentry"))
