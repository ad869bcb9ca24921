"""Doors that libraries bring along, and that lead to ours."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse


def admin_login(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """Send whoever wants into the admin site to our login, and back.

    Raises:
        PermissionDenied: they are signed in, and may not: another login would only go round in circles.
    """
    onward = request.GET.get("next") or reverse("admin:index")
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(onward, reverse("pages:login"))
