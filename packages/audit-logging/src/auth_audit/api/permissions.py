"""Permissions to read the trail."""

from typing import TYPE_CHECKING

from rest_framework.request import Request

from auth_core.administration import Act
from auth_core.api.permissions import Administers

if TYPE_CHECKING:
    from rest_framework.views import APIView


class MayReadTrail(Administers):
    """Allow holders of ``auth_audit.view_auditentry``. Staff status alone is not enough."""

    def may(self, request: Request, view: "APIView") -> bool:
        """Return whether the person has the permission."""
        return bool(request.user and request.user.has_perm("auth_audit.view_auditentry"))


class MayExportTrail(MayReadTrail):
    """Allow the same holders. An export also requires a recent confirmation of identity (ASVS 7.5.3)."""

    changes_are = Act.CRITICAL
