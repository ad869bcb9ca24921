"""Views of the test site, as its developers write them."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from rest_framework.authentication import BasicAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from auth_core.oauth_resource.api.authentication import BearerAuthentication
from auth_core.oauth_resource.api.permissions import RequireAssurance, RequireDPoP, RequireScopes
from auth_core.oauth_resource.decorators import require_token
from auth_core.oauth_resource.tokens.access_token import VerifiedToken


def described(user: Any, token: VerifiedToken) -> dict[str, Any]:
    return {
        "user": str(user),
        "pk": str(user.pk),
        "subject": token.subject,
        "application": token.application,
        "scopes": list(token.scopes),
    }


@require_token(scopes=["notes:read"])
def notes(request: Any) -> JsonResponse:
    return JsonResponse(described(request.user, request.token))


@require_token(scopes=["notes:read"], dpop=True)
def bound_notes(request: Any) -> JsonResponse:
    return JsonResponse({})


@require_token(acr="aal2", max_age=timedelta(minutes=5))
def fresh_notes(request: Any) -> JsonResponse:
    return JsonResponse({})


@require_token(scopes=["notes:read"])
async def async_notes(request: Any) -> JsonResponse:
    user = await request.auser()
    return JsonResponse(described(user, request.token))


class NotesView(APIView):
    authentication_classes = (BearerAuthentication, BasicAuthentication)
    permission_classes = (RequireScopes(get="notes:read", post="notes:read notes:write"),)

    def get(self, request: Request) -> Response:
        auth = request.auth
        return Response(described(request.user, auth) if auth else {"user": str(request.user)})

    def post(self, request: Request) -> Response:
        return Response({})

    def delete(self, request: Request) -> Response:
        return Response({})


class AdminNotesView(APIView):
    authentication_classes = (BearerAuthentication,)
    permission_classes = (RequireScopes("notes:read"), RequireAssurance("aal2", max_age=timedelta(minutes=5)))

    def get(self, request: Request) -> Response:
        return Response({})


class BoundNotesView(APIView):
    authentication_classes = (BearerAuthentication, BasicAuthentication)
    permission_classes = (RequireScopes("notes:read"), RequireDPoP())

    def get(self, request: Request) -> Response:
        return Response({})


class UndeclaredView(APIView):
    """A view that only asks whether someone is signed in. No token opens it."""

    authentication_classes = (BearerAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        return Response({})


def user_of_the_site(token: VerifiedToken) -> User | None:
    """Return the user whose name is the subject."""
    return User.objects.filter(username=token.subject).first()


def not_a_view(request: HttpRequest) -> None:
    """Answer nothing."""
