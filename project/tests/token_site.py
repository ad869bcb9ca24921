"""The URLs of a site with routes that access tokens open, for `test_early_token_routes`."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import path
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.oauth.api.token_views import TokenView
from enterprise_auth import urls


class Orders(TokenView):
    """The route."""

    token_scopes = {"get": "orders:read", "post": "orders:write"}

    def body(self, caller: Any) -> Mapping[str, Any]:
        """Return who asks."""
        return {"id": str(caller.pk), "name": str(getattr(caller, "email", "a service"))}

    def post(self, request: Request) -> Response:
        """Return nothing."""
        return Response({})


class Own(Orders):
    """A route for people alone, because it changes their own data."""

    counts_changes = True


class Open(Orders):
    """A route with another permission."""

    permission_classes: Sequence[type[BasePermission]] = (AllowAny,)


class Rewritten(Orders):
    """A route with an answer of its own."""

    def get(self, request: Request) -> Response:
        """Return nothing."""
        return Response({})


class Closed(Orders):
    """A route without a scope."""

    token_scopes = {}


urlpatterns = [
    path("api/v1/orders/", Orders.as_view(), name="orders"),
    path("api/v1/own/", Own.as_view(), name="own"),
    path("api/v1/open/", Open.as_view(), name="open"),
    path("api/v1/rewritten/", Rewritten.as_view(), name="rewritten"),
    path("api/v1/closed/", Closed.as_view(), name="closed"),
    *urls.urlpatterns,
]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500
