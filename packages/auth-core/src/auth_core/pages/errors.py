"""What a browser sees when something went wrong; programs get the same as a problem document.

To be named as a site's ``handler400`` to ``handler500`` and ``CSRF_FAILURE_VIEW``.
"""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from auth_core import errors
from auth_core.api.problems import headers_of, problem_response
from auth_core.context import correlation_id
from auth_core.errors import AuthError
from auth_core.pages.base import show


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler400``."""
    return _told(request, errors.InvalidRequest())


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler403``."""
    return _told(request, errors.PermissionRefused())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler404``."""
    return _told(request, errors.NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """``handler500``: nothing is learnt but the request id (ASVS 16.5.1)."""
    return _told(request, errors.InternalError())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """``CSRF_FAILURE_VIEW``."""
    return _told(request, errors.CsrfFailed())


def _told(request: HttpRequest, refusal: AuthError) -> HttpResponse:
    wants_page = "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/")
    if not wants_page:
        return problem_response(refusal)
    told = {"title": refusal.title, "lead": _("Go back and try again, or begin anew."), "request_id": correlation_id()}
    links = [{"label": _("To the beginning"), "url": reverse("pages:account")}]
    response = show(request, "auth_core/note.html", {**told, "links": links}, status=int(refusal.status))
    for name, value in headers_of(refusal).items():
        response.headers[name] = value
    return response
