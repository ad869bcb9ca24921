"""Error handlers: a page for browsers, a problem document for programs.

A site names them as ``handler400`` to ``handler500`` and ``CSRF_FAILURE_VIEW``.
"""

import sys

from django.http import HttpRequest, HttpResponse

from auth_core import errors
from auth_core.api.problems import csrf_failed, problem_response
from auth_core.errors import AuthError
from auth_core.observability.denials import mark_denied_by
from auth_core.pages.base import DATABASE_LOST, tell
from auth_core.request.context import bound, context_of


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler400``."""
    mark_denied_by(exception)
    return _error_response(request, errors.InvalidRequest())


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler403``."""
    return _error_response(request, errors.PermissionRefused())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler404``."""
    return _error_response(request, errors.NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """``handler500``: show only the request id (ASVS 16.5.1).

    A lost database is a 503 (fault F07), and so is a password that could not be hashed
    because all hash slots were taken.

    Django also calls it for exceptions of a middleware or a foreign view, which the
    pages here cannot catch.
    """
    raised = sys.exception()
    if isinstance(raised, errors.Unavailable):
        return _error_response(request, raised)
    return _error_response(
        request, errors.Unavailable() if isinstance(raised, DATABASE_LOST) else errors.InternalError()
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """``CSRF_FAILURE_VIEW``."""
    return _error_response(request, csrf_failed(reason))


def _error_response(request: HttpRequest, refusal: AuthError) -> HttpResponse:
    # Django calls a handler also for an exception outside the middleware, where no context is current.
    with bound(context_of(request)):
        return _page_or_document(request, refusal)


def _page_or_document(request: HttpRequest, refusal: AuthError) -> HttpResponse:
    wants_page = "text/html" in request.headers.get("Accept", "") and not request.path_info.startswith("/api/")
    return tell(request, refusal) if wants_page else problem_response(refusal)
