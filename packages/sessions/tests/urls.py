"""The URLs of the test site. ``own/`` holds the site's own views, which do not use our packages."""

from datetime import timedelta

from django.contrib import admin
from django.contrib.auth import get_user_model, login, logout, update_session_auth_hash
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.permissions import RequireAssurance
from auth_core.api.views import ApiView


def own_login(request: HttpRequest) -> JsonResponse:
    person = get_user_model()._default_manager.get_by_natural_key(request.GET["who"])
    login(request, person, backend="auth_core.backends.IdentifierBackend")
    return JsonResponse({})


def own_logout(request: HttpRequest) -> JsonResponse:
    logout(request)
    return JsonResponse({})


def own_password(request: HttpRequest) -> JsonResponse:
    person = request.user
    person.set_password("quite another passphrase here")
    person.save()
    update_session_auth_hash(request, person)
    return JsonResponse({})


async def own_async(request: HttpRequest) -> JsonResponse:
    person = await request.auser()
    return JsonResponse({"who": person.get_username()})


def own_failure(request: HttpRequest) -> JsonResponse:
    raise RuntimeError(f"{request.user.get_username()} found a bug")


def own_count(request: HttpRequest) -> JsonResponse:
    request.session["count"] = request.session.get("count", 0) + 1
    return JsonResponse({"count": request.session["count"], "who": request.user.get_username()})


class FreshProofView(ApiView):
    """A view that requires a fresh proof."""

    permission_classes = [RequireAssurance("aal1", max_age=timedelta(minutes=5))]

    def get(self, request: Request) -> Response:
        return Response({})


urlpatterns = [
    path("api/v1/asking-more/", FreshProofView.as_view()),
    path("api/v1/", include("auth_core.api.urls")),
    path("api/v1/", include("auth_sessions.api.urls")),
    path("admin/", admin.site.urls),
    path("", include("auth_sessions.pages.urls")),
    path("", include("auth_core.pages.urls")),
    path("own/login/", own_login),
    path("own/logout/", own_logout),
    path("own/count/", own_count),
    path("own/password/", own_password),
    path("own/async/", own_async),
    path("own/failure/", own_failure),
]
