"""Answers of the OAuth endpoints."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from auth_core import errors
from auth_core.oauth.errors import OAuthError, Unavailable
from auth_core.oauth.keys.key_set import KeysUnusable

_NOT_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}

#: What any site may read: keys and metadata hold nothing about a person, and no cookie opens them.
_FOR_EVERYONE = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}

_ENCODER = json.JSONEncoder(separators=(",", ":"))

View = Callable[[HttpRequest], HttpResponseBase]


def json_answer(
    body: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Return *body* as JSON that no one stores."""
    headers = {**_NOT_STORED, **(headers or {})}
    return HttpResponse(json_text(body), status=status, content_type="application/json", headers=headers)


def public_answer(body: Mapping[str, Any], *, lifetime: timedelta) -> HttpResponse:
    """Return *body* as JSON that any site may read, and that any cache may keep for *lifetime*."""
    headers = {"Cache-Control": f"public, max-age={int(lifetime.total_seconds())}", **_FOR_EVERYONE}
    return HttpResponse(json_text(body), content_type="application/json", headers=headers)


def error_answer(problem: OAuthError) -> HttpResponse:
    """Return the answer of RFC 6749 section 5.2."""
    body = {"error": problem.error, "error_description": str(problem)}
    return json_answer(body, status=int(problem.status), headers=problem.headers)


def answered(view: View, request: HttpRequest) -> HttpResponseBase:
    """Return the answer of *view*, with its expected errors as answers."""
    try:
        return view(request)
    except OAuthError as problem:
        return error_answer(problem)
    except (OperationalError, InterfaceError, KeysUnusable, errors.Unavailable):
        return error_answer(Unavailable())


def endpoint(*methods: str) -> Callable[[View], View]:
    """Make a view an endpoint for *methods*, which clients call with credentials of their own.

    No cookie authenticates there, so there is no CSRF. It is outside of ``ATOMIC_REQUESTS``: a rollback would give a spent code
    back. A lost database is a 503, never a refusal.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest) -> HttpResponseBase:
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            return answered(view, request)

        return transaction.non_atomic_requests(csrf_exempt(guarded))

    return decorate


def json_text(body: Mapping[str, Any]) -> bytes:
    """Return the bytes of *body*. They are ASCII, in the order of the mapping, and without spaces."""
    return _ENCODER.encode(body).encode()
