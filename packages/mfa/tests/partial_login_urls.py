"""The addresses of a site whose login is Django's own."""

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
    """Sign in whom a header names, as middleware behind ours might."""

    async def handle(request: HttpRequest) -> Any:
        user = await User.objects.aget(username=request.headers["X-Name"])
        await alogin(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return await get_response(request)

    return handle


@async_only_middleware
def onlooker(get_response: Any) -> Any:
    """Look who it is before our middleware has judged, as one in front of it might."""

    async def handle(request: HttpRequest) -> Any:
        await request.auser()
        return await get_response(request)

    return handle


def undecorated(request: HttpRequest) -> JsonResponse:
    half = getattr(request, "partial_login_user", None)
    return JsonResponse({"user": request.user.get_username(), "half": half and half.get_username()})


async def async_view(request: HttpRequest) -> JsonResponse:
    user: Any = await request.auser()
    return JsonResponse(
        {"user": user.get_username(), "half": request.partial_login_user and request.partial_login_user.get_username()}
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
    found = session_of(request)
    return JsonResponse({"facts": None if found is None else found.to_json()})


def cart(request: HttpRequest) -> JsonResponse:
    if request.method == "POST":
        request.session["cart"] = request.POST["cart"]
    return JsonResponse({"cart": request.session.get("cart")})


def log_in_as(request: HttpRequest, name: str) -> HttpResponse:
    """Sign somebody in as a site's own code would, and answer what the query says."""
    login(request, User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    onward = request.GET.get("onward")
    return HttpResponseRedirect(onward) if onward else JsonResponse({"user": request.user.get_username()})


def name_in_session(request: HttpRequest, name: str) -> HttpResponse:
    """Do what careless code does: say who it is, with nothing of Django's `login`."""
    user = User.objects.get(username=name)
    request.session[SESSION_KEY] = str(user.pk)
    request.session["_auth_user_hash"] = user.get_session_auth_hash()
    return HttpResponse()


def forget_name(request: HttpRequest) -> HttpResponse:
    """Sign out as careless code does: the name goes, everything else stays."""
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
