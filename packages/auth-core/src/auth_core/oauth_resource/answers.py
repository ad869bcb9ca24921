"""Answers as JSON: of OAuth endpoints, and of views that refuse a token."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import HttpResponse

from auth_core.oauth_resource.errors import OAuthError

_ENCODER = json.JSONEncoder(separators=(",", ":"))

_NOT_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}

#: What any site may read: keys and metadata hold nothing about a person, and no cookie opens them.
_FOR_EVERYONE = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}


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
    return json_answer(error_body(problem), status=int(problem.status), headers=problem.headers)


def error_body(problem: OAuthError) -> dict[str, str]:
    """Return the members of that answer."""
    return {"error": problem.error, "error_description": str(problem)}


def json_text(body: Mapping[str, Any]) -> bytes:
    """Return the bytes of *body*. They are ASCII, in the order of the mapping, and without spaces."""
    return _ENCODER.encode(body).encode()
