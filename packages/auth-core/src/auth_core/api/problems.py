"""Errors as RFC 9457 problem details. This is the only module that turns an error into a response."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.middleware.csrf import REASON_BAD_ORIGIN
from rest_framework import exceptions
from rest_framework.response import Response

from auth_core import errors
from auth_core.errors import AuthError, FieldError
from auth_core.observability.denials import mark_denied_by
from auth_core.request.context import correlation_id

CONTENT_TYPE = "application/problem+json"

#: The end of Django's reason when another site made the browser send the request.
_NOT_TRUSTED = REASON_BAD_ORIGIN.rpartition("%s")[2]

#: The authentication scheme of session tokens, for ``WWW-Authenticate`` (RFC 9110 section 11.6.1).
SCHEME = "Session"


def problem_of(error: AuthError) -> dict[str, Any]:
    """Return the problem document for *error*."""
    return {
        "type": f"urn:auth:{error.code}",
        "title": str(error.title),
        "status": int(error.status),
        "detail": error.detail,
        "code": error.code,
        "request_id": correlation_id(),
        "errors": [
            {"field": member.field, "code": member.code, "detail": member.detail, "params": dict(member.params)}
            for member in error.errors
        ],
        **error.members,
    }


def headers_of(error: AuthError) -> dict[str, str]:
    """Return the headers for *error*. Every 401 has ``WWW-Authenticate``."""
    headers = dict(error.headers) | {"Cache-Control": "no-store"}
    if isinstance(error, errors.InsufficientUserAuthentication):
        headers["WWW-Authenticate"] = _step_up_challenge(error)
    elif error.status == 401:  # noqa: PLR2004 - RFC 9110 requires the header for this status
        headers.setdefault("WWW-Authenticate", SCHEME)
    return headers


def handle(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return a problem document for an expected error. This is DRF's exception handler."""
    error = error_of(exc)
    if error is None:
        return None
    mark_denied_by(error)
    return Response(problem_of(error), status=int(error.status), headers=headers_of(error), content_type=CONTENT_TYPE)


def problem_response(error: AuthError) -> JsonResponse:
    """Return *error* as a Django response, for errors outside a DRF view."""
    mark_denied_by(error)
    return JsonResponse(
        problem_of(error), status=int(error.status), headers=headers_of(error), content_type=CONTENT_TYPE
    )


def error_of(exc: Exception) -> AuthError | None:
    """Return the `AuthError` for *exc*, or ``None`` for an unexpected error, which is a 500."""
    if isinstance(exc, AuthError):
        return exc
    if isinstance(exc, exceptions.ValidationError):
        return errors.InvalidRequest(*field_errors(exc.detail))
    if isinstance(exc, exceptions.MethodNotAllowed):
        return errors.MethodNotAllowed()
    if isinstance(exc, exceptions.Throttled):
        return errors.TooManyAttempts(retry_after=timedelta(seconds=getattr(exc, "wait", None) or 1))
    if (refusal := errors.refusal_by_database(exc)) is not None:
        return refusal
    return next((make() for kinds, make in _MEANINGS if isinstance(exc, kinds)), None)


#: Exceptions of DRF, Django and the database, and the `AuthError` for each.
_MEANINGS: tuple[tuple[tuple[type[Exception], ...], type[AuthError]], ...] = (
    ((exceptions.ParseError,), errors.MalformedBody),
    ((exceptions.NotAuthenticated, exceptions.AuthenticationFailed), errors.NotAuthenticated),
    ((exceptions.PermissionDenied, PermissionDenied), errors.PermissionRefused),
    ((exceptions.NotFound, Http404), errors.NotFound),
    ((exceptions.NotAcceptable,), errors.NotAcceptable),
    ((exceptions.UnsupportedMediaType,), errors.UnsupportedMediaType),
    ((RequestDataTooBig,), errors.PayloadTooLarge),
    # A lost or busy database is a 503, never a 200 or a 401 (fault F07).
    ((OperationalError, InterfaceError), errors.Unavailable),
)


def field_errors(detail: object, field: str = "") -> list[FieldError]:
    """Flatten DRF's nested details into one list with dotted field names."""
    if isinstance(detail, Mapping):
        named = ((f"{field}.{name}".strip("."), nested) for name, nested in detail.items())
        return [error for name, nested in named for error in field_errors(nested, name)]
    if isinstance(detail, list):
        return [error for nested in detail for error in field_errors(nested, field)]
    return [FieldError(field.removesuffix("non_field_errors"), getattr(detail, "code", "invalid"), str(detail))]


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """``handler400``: answer a request that Django refuses before a view."""
    mark_denied_by(exception)
    return problem_response(errors.InvalidRequest())


def permission_denied(request: HttpRequest, exception: Exception) -> JsonResponse:
    """``handler403``."""
    return problem_response(errors.PermissionRefused())


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """``handler404``."""
    return problem_response(errors.NotFound())


def server_error(request: HttpRequest) -> JsonResponse:
    """``handler500``: show the caller only the request id (ASVS 16.5.1)."""
    return problem_response(errors.InternalError())


def csrf_failure(request: HttpRequest, reason: str = "") -> JsonResponse:
    """``CSRF_FAILURE_VIEW``."""
    return problem_response(csrf_failed(reason))


def csrf_failed(reason: str) -> errors.CsrfFailed:
    """Return the error for Django's *reason*."""
    return errors.CsrfFailed(is_foreign=reason.endswith(_NOT_TRUSTED))


def _step_up_challenge(error: errors.InsufficientUserAuthentication) -> str:
    """Return the challenge that RFC 9470 section 3 defines."""
    seconds = None if error.max_age is None else int(error.max_age.total_seconds())
    return errors.challenge(SCHEME, error=error.code, acr_values=error.required_assurance, max_age=seconds)
