"""``Authorization: Bearer`` and ``DPoP``: access tokens at the API.

A token opens only routes that declare a scope. It has no session, so what needs a recent proof is closed to it. A service
account is a caller too: `ServiceSubject`, whose roles decide.
"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from auth_core.errors import AmbiguousCredentials, InsufficientScope, NotAuthenticated, Unavailable, challenge
from auth_core.oauth.conf import oauth
from auth_core.oauth.keys.key_set import KeysUnusable
from auth_core.oauth.tokens.active_tokens import ActiveToken
from auth_core.oauth.tokens.presentation import find_presented_token
from auth_core.oauth_resource.errors import BEARER, InvalidToken, OAuthError
from auth_core.oauth_resource.tokens.header import presented_token
from auth_core.observability import denials
from auth_core.people.service_subject import ServiceSubject


class BearerAuthentication(BaseAuthentication):
    """Accepts access tokens of people and of service accounts. It precedes the cookie authenticator."""

    #: Tells `ApiView` that the caller is not identified by a cookie, so that no CSRF check is needed.
    reads_header = True

    def authenticate(self, request: Request) -> tuple[Any, ActiveToken] | None:
        """Return the person or the service of the token, and the token. ``None`` without such a header.

        Raises:
            NotAuthenticated: the token is not active, of an application that is no service account, for another resource, or
                bound to a key that the request does not prove.
            AmbiguousCredentials: the request also has a session cookie.
            InsufficientScope: the route declares no scope, or one that the token lacks.
            Unavailable: this service cannot verify tokens now.
        """
        presented = _presented(request)
        if presented is None:
            return None
        scheme, token = presented
        caller = _caller_of(token)
        if caller is None or oauth.issuer not in token.audience:
            raise NotAuthenticated(challenge=challenge(scheme, error=InvalidToken.error))
        if getattr(getattr(request._request, "session", None), "session_key", None):
            denials.mark_denied(AmbiguousCredentials.code, subject=caller)
            raise AmbiguousCredentials
        needed = _scope_of(request, is_of_person=token.authorization is not None)
        if not needed or needed not in token.scopes:
            denials.mark_denied(InsufficientScope.code, subject=caller)
            raise InsufficientScope(scope=needed)
        return caller, token

    def authenticate_header(self, request: Request) -> str:
        """Make an anonymous request a 401 and not a 403."""
        return BEARER


def granted_caller(request: HttpRequest, view: type[Any]) -> Any | None:
    """Return the caller whom `BearerAuthentication` finds at *view* by a Bearer token. It asks and refuses the same.

    ``None``: anything else, such as every refusal. It is for a layer before Django.
    """
    try:
        presented = presented_token(request)
        if presented is None or presented[0] != BEARER or "HTTP_DPOP" in request.META:
            return None
        token = find_presented_token(request, *presented)
    except (KeysUnusable, OAuthError):
        return None
    caller = _caller_of(token)
    if caller is None or oauth.issuer not in token.audience:
        return None
    needed = _scope_of_view(view, request.method, is_of_person=token.authorization is not None)
    return caller if needed and needed in token.scopes else None


def _presented(request: Request) -> tuple[str, ActiveToken] | None:
    """Return the scheme and the token that *request* presents. ``None`` without such a header.

    Raises:
        NotAuthenticated, Unavailable: as in `BearerAuthentication.authenticate`.
    """
    try:
        presented = presented_token(request._request)
        if presented is None:
            return None
        return presented[0], find_presented_token(request._request, *presented)
    except KeysUnusable as problem:
        raise Unavailable from problem
    except OAuthError as problem:
        headers = problem.headers
        raise NotAuthenticated(challenge=headers["WWW-Authenticate"], nonce=headers.get("DPoP-Nonce", "")) from problem


def _caller_of(token: ActiveToken) -> Any:
    """Return the person that *token* is about, or the service account that it is of. ``None``: neither."""
    if token.authorization is not None:
        return token.authorization.user
    return ServiceSubject(token.application_id, is_active=True) if token.is_service_account else None


def _scope_of(request: Request, *, is_of_person: bool) -> str:
    """Return the scope that the route declares for the method of *request*. Empty if none opens it.

    Routes on which people change their own data are closed to services.
    """
    return _scope_of_view((request.parser_context or {}).get("view"), request.method, is_of_person=is_of_person)


def _scope_of_view(view: Any, method: str | None, *, is_of_person: bool) -> str:
    if getattr(view, "counts_changes", False) and not is_of_person:
        return ""
    scopes: Mapping[str, str] = getattr(view, "token_scopes", {})
    return scopes.get(str(method).lower(), "")
