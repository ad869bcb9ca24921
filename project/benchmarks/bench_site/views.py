"""The route."""

from collections.abc import Mapping
from typing import Any

from auth_core.oauth.api.token_views import TokenView


class OrdersView(TokenView):
    """``GET orders/``, for access tokens with a scope."""

    token_scopes = {"get": "orders:read"}

    def body(self, caller: Any) -> Mapping[str, Any]:
        """Return who asks."""
        return {"id": str(caller.pk), "email": caller.email}
