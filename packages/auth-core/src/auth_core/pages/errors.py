"""Error handlers: a page for browsers, a problem document for programs.

A site names them as ``handler400`` to ``handler500`` and ``CSRF_FAILURE_VIEW``.
"""

import logging
import sys

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from auth_core import errors
from auth_core.api.problems import csrf_failed, headers_of, problem_response
from auth_core.errors import AuthError
from auth_core.observability.denials import mark_denied_by
from auth_core.pages.base import DATABASE_LOST, tell
from auth_core.request.context import bound, context_of, correlation_id

logger = logging.getLogger("auth_core.pages.errors")


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
    if not wants_page:
        return problem_response(refusal)
    try:
        return tell(request, refusal)
    except Exception:  # an error page must not fail with what it reports: static files, templates, translations
        logger.exception("An error page could not be shown. A page without styles is shown instead.")
        return _bare_page(refusal)


def _bare_page(refusal: AuthError) -> HttpResponse:
    """Return a page that depends on no template, static file or database."""
    page = format_html(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>'
        "<p>Request ID: {request_id}</p></html>",
        title=str(refusal.title),
        request_id=correlation_id(),
    )
    return HttpResponse(page, status=int(refusal.status), headers=headers_of(refusal))
