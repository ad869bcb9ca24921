"""Views of the test site that access tokens open: of our API, of a resource server, and one of django-oauth-toolkit."""

from datetime import timedelta
from typing import Any

from django.http import JsonResponse
from oauth2_provider.contrib.rest_framework import OAuth2Authentication, TokenHasScope
from oauth2_provider.decorators import protected_resource
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from auth_core.api.views import ApiView
from auth_core.oauth.oauth2_validators import Validator
from auth_core.oauth_resource.decorators import require_token


class OrdersView(ApiView):
    """``GET`` is open to tokens with a scope. ``POST`` is not open to tokens."""

    token_scopes = {"get": "orders:read"}

    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user.pk)})

    def post(self, request: Request) -> Response:
        return Response({})


class MayReport(BasePermission):
    """Asks whoever decides about permissions."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.has_perm("shop.view_report"))


class ReportsView(ApiView):
    """Open to tokens with a scope whose person or service has a permission."""

    permission_classes = (MayReport,)
    token_scopes = {"get": "orders:read"}

    def get(self, request: Request) -> Response:
        return Response({"caller": str(request.user.public_id)})

    def post(self, request: Request) -> Response:
        return Response({})


class OwnView(ApiView):
    """The data of a person, which they may change."""

    counts_changes = True
    token_scopes = {"get": "orders:read"}

    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user.pk)})


@require_token(scopes=["notes:read"])
def notes(request: Any) -> JsonResponse:
    person = request.user
    return JsonResponse({"user": str(person.pk), "scopes": list(request.token.scopes)})


@require_token(acr="aal2", max_age=timedelta(minutes=5))
def fresh_notes(request: Any) -> JsonResponse:
    return JsonResponse({})


@protected_resource(scopes=["profile"], validator_cls=Validator)
def toolkit_view(request: Any) -> JsonResponse:
    return JsonResponse({"user": str(request.resource_owner.pk)})


class ToolkitView(APIView):
    """A view as the documentation of django-oauth-toolkit writes it."""

    authentication_classes = (OAuth2Authentication,)
    permission_classes = (TokenHasScope,)
    required_scopes = ("profile",)

    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user.pk)})
