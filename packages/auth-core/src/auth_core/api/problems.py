"""Refusals as RFC 9457 problem details: the one place where an error becomes a response."""

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
from auth_core.observability.denials import note_raised
from auth_core.request.context import correlation_id

CONTENT_TYPE = "application/problem+json"

#: How Django's reason ends when a page of another site had the browser send the request.
_NOT_TRUSTED = REASON_BAD_ORIGIN.rpartition("%s")[2]

#: The authentication scheme of our credentials, for ``WWW-Authenticate`` (RFC 9110 section 11.6.1).
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
            {"field": wrong.field, "code": wrong.code, "detail": wrong.detail, "params": dict(wrong.params)}
            for wrong in error.errors
        ],
        **error.members,
    }


def headers_of(error: AuthError) -> dict[str, str]:
    """Return the headers that go with *error*; every 401 says how to authenticate."""
    headers = dict(error.headers) | {"Cache-Control": "no-store"}
    if isinstance(error, errors.InsufficientUserAuthentication):
        headers["WWW-Authenticate"] = _step_up_challenge(error)
    elif error.status == 401:  # noqa: PLR2004 - the status that RFC 9110 ties to this header
        headers["WWW-Authenticate"] = SCHEME
    return headers


def handle(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer *exc* with a problem document, if it is an expected error; DRF's exception handler."""
    error = error_of(exc)
    if error is None:
        return None
    note_raised(error)
    return Response(problem_of(error), status=int(error.status), headers=headers_of(error), content_type=CONTENT_TYPE)


def problem_response(error: AuthError) -> JsonResponse:
    """Return *error* as a plain Django response, for what fails outside a view."""
    note_raised(error)
    return JsonResponse(
        problem_of(error), status=int(error.status), headers=headers_of(error), content_type=CONTENT_TYPE
    )


def error_of(exc: Exception) -> AuthError | None:
    """Return the refusal that *exc* means; ``None``: it is unexpected, and 500."""
    if isinstance(exc, AuthError):
        return exc
    if isinstance(exc, exceptions.ValidationError):
        return errors.InvalidRequest(*field_errors(exc.detail))
    if isinstance(exc, exceptions.MethodNotAllowed):
        return errors.MethodNotAllowed()
    if isinstance(exc, exceptions.Throttled):
        return errors.TooManyAttempts(retry_after=timedelta(seconds=getattr(exc, "wait", None) or 1))
    return next((make() for kinds, make in _MEANINGS if isinstance(exc, kinds)), None)


#: What DRF, Django and the database raise, and the refusal it means.
_MEANINGS: tuple[tuple[tuple[type[Exception], ...], type[AuthError]], ...] = (
    ((exceptions.ParseError,), errors.MalformedBody),
    ((exceptions.NotAuthenticated, exceptions.AuthenticationFailed), errors.NotAuthenticated),
    ((exceptions.PermissionDenied, PermissionDenied), errors.PermissionRefused),
    ((exceptions.NotFound, Http404), errors.NotFound),
    ((exceptions.NotAcceptable,), errors.NotAcceptable),
    ((exceptions.UnsupportedMediaType,), errors.UnsupportedMediaType),
    ((RequestDataTooBig,), errors.PayloadTooLarge),
    # The database is away or refuses to wait: say so, and never 200 or 401 instead (fault F07).
    ((OperationalError, InterfaceError), errors.Unavailable),
)


def field_errors(detail: Any, field: str = "") -> list[FieldError]:
    """Flatten DRF's nested details into one list, with dotted field names."""
    if isinstance(detail, Mapping):
        named = ((f"{field}.{name}".strip("."), nested) for name, nested in detail.items())
        return [error for name, nested in named for error in field_errors(nested, name)]
    if isinstance(detail, list):
        return [error for nested in detail for error in field_errors(nested, field)]
    return [FieldError(field.removesuffix("non_field_errors"), getattr(detail, "code", "invalid"), str(detail))]


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """``handler400``: what Django refuses before a view."""
    note_raised(exception)
    return problem_response(errors.InvalidRequest())


def permission_denied(request: HttpRequest, exception: Exception) -> JsonResponse:
    """``handler403``."""
    return problem_response(errors.PermissionRefused())


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """``handler404``."""
    return problem_response(errors.NotFound())


def server_error(request: HttpRequest) -> JsonResponse:
    """``handler500``: the caller learns nothing but the request id (ASVS 16.5.1)."""
    return problem_response(errors.InternalError())


def csrf_failure(request: HttpRequest, reason: str = "") -> JsonResponse:
    """``CSRF_FAILURE_VIEW``."""
    return problem_response(csrf_failed(reason))


def csrf_failed(reason: str) -> errors.CsrfFailed:
    """Return the refusal that Django's *reason* means."""
    return errors.CsrfFailed(is_foreign=reason.endswith(_NOT_TRUSTED))


def _step_up_challenge(error: errors.InsufficientUserAuthentication) -> str:
    """Return the challenge of RFC 9470 section 3."""
    challenge = f'{SCHEME} error="{error.code}", acr_values="{error.required_assurance}"'
    if error.max_age is not None:
        challenge += f", max_age={int(error.max_age.total_seconds())}"
    return challenge
