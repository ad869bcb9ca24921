"""The endpoints of the provider before Django: tokens, introspection, userinfo, keys and metadata.

Only callers that this process remembers get tokens here. A statement that reads or spends something confirms that they have not
changed. Every refusal is Django's own.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest

from auth_core.oauth.endpoints.answers import json_text
from auth_core.oauth.endpoints.introspection import active_state
from auth_core.oauth.endpoints.metadata import provider_keys, provider_metadata
from auth_core.oauth.endpoints.token import granted_tokens
from auth_core.oauth.endpoints.userinfo import granted_claims
from enterprise_auth.front.endpoint import EarlyAnswer, Endpoint

_POST = frozenset({"POST"})
_GET = frozenset({"GET", "HEAD"})

_BEARER = "Bearer "


def _without_browser(request: HttpRequest) -> str:
    """Return the kind of a request of a service. Empty for one with a cookie, or by a script of an origin.

    Which origins may read an answer is in the database.
    """
    is_browser = "HTTP_COOKIE" in request.META or "HTTP_ORIGIN" in request.META
    return "" if is_browser else "service"


def _without_cookie(request: HttpRequest) -> str:
    """Return the kind of a request without a cookie. Any origin may read what no one is identified for."""
    return "" if "HTTP_COOKIE" in request.META or "HTTP_AUTHORIZATION" in request.META else "everyone"


def with_token(request: HttpRequest) -> str:
    """Return the kind of a request with a Bearer token. Empty for one of a browser."""
    is_bearer = request.META.get("HTTP_AUTHORIZATION", "").startswith(_BEARER)
    return _without_browser(request) if is_bearer else ""


def _posted(name: str, body_of: Callable[[HttpRequest], Mapping[str, Any] | None]) -> Endpoint:
    return Endpoint(
        url_name=f"oauth:{name}",
        methods=_POST,
        kind_of=_without_browser,
        answer=lambda request, _kind: _answer(body_of(request)),
        write=json_text,
        reads_body=True,
    )


def _public(name: str, body_of: Callable[[], Mapping[str, Any]]) -> Endpoint:
    return Endpoint(
        url_name=f"oauth:{name}",
        methods=_GET,
        kind_of=_without_cookie,
        answer=lambda _request, _kind: _answer(body_of()),
        write=json_text,
    )


def _answer(body: Mapping[str, Any] | None) -> EarlyAnswer | None:
    return None if body is None else EarlyAnswer(body=body)


PROVIDER = (
    _posted("token", granted_tokens),
    _posted("introspect", active_state),
    Endpoint(
        url_name="oauth:userinfo",
        methods=frozenset({"GET"}),
        kind_of=with_token,
        answer=lambda request, _kind: _answer(granted_claims(request)),
        write=json_text,
    ),
    _public("jwks", provider_keys),
    _public("openid-configuration", provider_metadata),
    _public("oauth-authorization-server", provider_metadata),
)
