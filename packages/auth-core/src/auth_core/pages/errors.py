"""What a browser sees when something went wrong; programs get the same as a problem document.

To be named as a site's ``handler400`` to ``handler500`` and ``CSRF_FAILURE_VIEW``.
"""

import sys

from django.http import HttpRequest, HttpResponse

from auth_core import errors
from auth_core.api.problems import csrf_failed, problem_response
from auth_core.errors import AuthError
from auth_core.observability.denials import note_raised
from auth_core.pages.base import DATABASE_LOST, tell


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler400``."""
    note_raised(exception)
    return _told(request, errors.InvalidRequest())


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler403``."""
    return _told(request, errors.PermissionRefused())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler404``."""
    return _told(request, errors.NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """``handler500``: nothing is learnt but the request id (ASVS 16.5.1).

    A lost database is 503 (fault F07), and so is a password that nobody could look at (`hash_places`).

    Django calls it while it handles what was raised, also by a middleware or by
    somebody else's view, which no page of ours can catch.
    """
    raised = sys.exception()
    if isinstance(raised, errors.Unavailable):
        return _told(request, raised)
    return _told(request, errors.Unavailable() if isinstance(raised, DATABASE_LOST) else errors.InternalError())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """``CSRF_FAILURE_VIEW``."""
    return _told(request, csrf_failed(reason))


def _told(request: HttpRequest, refusal: AuthError) -> HttpResponse:
    wants_page = "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/")
    return tell(request, refusal) if wants_page else problem_response(refusal)
