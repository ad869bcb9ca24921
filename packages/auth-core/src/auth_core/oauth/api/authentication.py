"""``Authorization: Bearer`` and ``DPoP``: access tokens at the API.

A token opens only routes that declare a scope. It has no session, so what needs a recent proof is closed to it.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from auth_core.errors import AmbiguousCredentials, InsufficientScope, NotAuthenticated, Unavailable
from auth_core.oauth.conf import oauth
from auth_core.oauth.errors import OAuthError
from auth_core.oauth.keys.key_set import KeysUnusable
from auth_core.oauth.tokens.active_tokens import ActiveToken
from auth_core.oauth.tokens.presentation import BEARER, find_presented_token, scheme_of
from auth_core.observability import denials


class BearerAuthentication(BaseAuthentication):
    """Accepts access tokens of people. It precedes the cookie authenticator."""

    #: Tells `ApiView` that the caller is not identified by a cookie, so that no CSRF check is needed.
    reads_header = True

    def authenticate(self, request: Request) -> tuple[Any, ActiveToken] | None:
        """Return the person of the token, and the token. ``None`` without such a header.

        Raises:
            NotAuthenticated: the token is not active, of an application itself, for another resource, or bound to a key that
                the request does not prove.
            AmbiguousCredentials: the request also has a session cookie.
            InsufficientScope: the route declares no scope, or one that the token lacks.
            Unavailable: this service cannot verify tokens now.
        """
        name, _space, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        scheme = scheme_of(name)
        if not scheme:
            return None
        token = _presented(request, scheme, text.strip())
        if token.authorization is None or oauth.issuer not in token.audience:
            raise NotAuthenticated(challenge=f'{scheme} error="invalid_token"')
        person = token.authorization.user
        if getattr(getattr(request._request, "session", None), "session_key", None):
            denials.mark_denied(AmbiguousCredentials.code, subject=person)
            raise AmbiguousCredentials
        needed = _scope_of(request)
        if not needed or needed not in token.scopes:
            denials.mark_denied(InsufficientScope.code, subject=person)
            raise InsufficientScope(scope=needed)
        return person, token

    def authenticate_header(self, request: Request) -> str:
        """Make an anonymous request a 401 and not a 403."""
        return BEARER


def _presented(request: Request, scheme: str, text: str) -> ActiveToken:
    """Return the token that *request* presents.

    Raises:
        NotAuthenticated, Unavailable: as in `BearerAuthentication.authenticate`.
    """
    try:
        return find_presented_token(request._request, scheme, text)
    except KeysUnusable as problem:
        raise Unavailable from problem
    except OAuthError as problem:
        headers = problem.headers
        raise NotAuthenticated(challenge=headers["WWW-Authenticate"], nonce=headers.get("DPoP-Nonce", "")) from problem


def _scope_of(request: Request) -> str:
    """Return the scope that the route declares for the method of *request*. Empty if none opens it."""
    view = (request.parser_context or {}).get("view")
    scopes: Mapping[str, str] = getattr(view, "token_scopes", {})
    return scopes.get(str(request.method).lower(), "")
