"""Who may manage applications and resources. This depends on permissions, never on ``is_staff`` alone."""

from typing import Any

from rest_framework.request import Request

from auth_core.administration import Act
from auth_core.api.permissions import Administers

_NEEDED = {"GET": "view", "HEAD": "view", "OPTIONS": "view", "POST": "add", "DELETE": "delete"}


class MayManageProvider(Administers):
    """Requires the method's permission on the view's `model_name`. A secret is changed, whatever the method.

    Every change is critical: it decides who receives tokens of people.
    """

    changes_are = Act.CRITICAL

    def may(self, request: Request, view: Any) -> bool:
        """Ask the authentication backends. An anonymous caller has no permission."""
        user: Any = request.user
        needed = view.needed_action or _NEEDED.get(str(request.method), "change")
        return bool(user.is_authenticated and user.has_perm(f"auth_oauth.{needed}_{view.model_name}"))
