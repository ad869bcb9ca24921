"""URLs of a site with Django's own login."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import SESSION_KEY, alogin, get_user, login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import include, path
from django.utils.decorators import async_only_middleware
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import api_view, authentication_classes
from rest_framework.response import Response

from auth_core.assurance.evidence import session_of


@async_only_middleware
def asynchronous_sign_in(get_response: Any) -> Any:
    """Sign in the user that a header names, like middleware after ours."""

    async def handle(request: HttpRequest) -> Any:
        user = await User.objects.aget(username=request.headers["X-Name"])
        await alogin(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return await get_response(request)

    return handle


@async_only_middleware
def onlooker(get_response: Any) -> Any:
    """Read the user before our middleware, like middleware in front of it."""

    async def handle(request: HttpRequest) -> Any:
        await request.auser()
        return await get_response(request)

    return handle


def undecorated(request: HttpRequest) -> JsonResponse:
    partial = getattr(request, "partial_login_user", None)
    return JsonResponse({"user": request.user.get_username(), "partial": partial and partial.get_username()})


async def async_view(request: HttpRequest) -> JsonResponse:
    user: Any = await request.auser()
    return JsonResponse(
        {
            "user": user.get_username(),
            "partial": request.partial_login_user and request.partial_login_user.get_username(),
        }
    )


def past_the_middleware(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"user": get_user(request).get_username(), "named": SESSION_KEY in request.session})


@login_required
def closed(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"secret of {request.user.get_username()}")


@api_view(["GET"])
@authentication_classes([SessionAuthentication])
def by_drf(request: Any) -> Response:
    return Response({"user": request.user.get_username()})


def facts(request: HttpRequest) -> JsonResponse:
    session = session_of(request)
    return JsonResponse({"facts": None if session is None else session.to_json()})


def cart(request: HttpRequest) -> JsonResponse:
    if request.method == "POST":
        request.session["cart"] = request.POST["cart"]
    return JsonResponse({"cart": request.session.get("cart")})


def log_in_as(request: HttpRequest, name: str) -> HttpResponse:
    """Sign a user in like a site's own code, and redirect if the query says so."""
    login(request, User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    onward = request.GET.get("onward")
    return HttpResponseRedirect(onward) if onward else JsonResponse({"user": request.user.get_username()})


def name_in_session(request: HttpRequest, name: str) -> HttpResponse:
    """Write the user into the session without Django's `login`, like careless code."""
    user = User.objects.get(username=name)
    request.session[SESSION_KEY] = str(user.pk)
    request.session["_auth_user_hash"] = user.get_session_auth_hash()
    return HttpResponse()


def forget_name(request: HttpRequest) -> HttpResponse:
    """Remove only the user from the session, like careless code."""
    del request.session[SESSION_KEY]
    return HttpResponse()


urlpatterns = [
    path("undecorated/", undecorated, name="undecorated"),
    path("async/", async_view),
    path("past/", past_the_middleware),
    path("closed/", closed),
    path("drf/", by_drf),
    path("facts/", facts),
    path("cart/", cart),
    path("as/<str:name>/", log_in_as),
    path("name/<str:name>/", name_in_session),
    path("forget/", forget_name),
    path("accounts/login/", LoginView.as_view(template_name="login.html"), name="login"),
    path("accounts/login/sent-on/", LoginView.as_view(template_name="login.html", redirect_authenticated_user=True)),
    path("accounts/logout/", LogoutView.as_view()),
    path("admin/", admin.site.urls),
    path("account/second-factors/", include("auth_mfa.pages.urls")),
    path("auth/", include("auth_core.pages.urls")),
]
