"""The route."""

from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.views import ApiView


class OrdersView(ApiView):
    """``GET orders/``, for access tokens with a scope."""

    token_scopes = {"get": "orders:read"}

    def get(self, request: Request) -> Response:
        """Return who asks."""
        return Response({"id": str(request.user.pk), "email": request.user.email})
