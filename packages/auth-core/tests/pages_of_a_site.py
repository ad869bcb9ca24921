"""Pages of a site that know nothing of auth_core, beside those of auth_core."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path

from urls import urlpatterns as of_auth_core


@login_required
def own(request: HttpRequest) -> HttpResponse:
    """Show who is signed in."""
    return HttpResponse(request.user.get_username())


async def own_async(request: HttpRequest) -> HttpResponse:
    """Show who is signed in."""
    user = await request.auser()
    return HttpResponse(user.get_username()) if user.is_authenticated else HttpResponseRedirect("/login/")


urlpatterns = [path("own/", own), path("own/async/", own_async), *of_auth_core]
