"""``POST /oauth/introspect``.

Source: RFC 7662. A URL is logged, so GET is refused.
"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from auth_core.crypto.secrets import digest
from auth_core.oauth.clients.registry import RegisteredApplication, StaleApplication
from auth_core.oauth.conf import oauth
from auth_core.oauth.endpoints.answers import endpoint, json_answer
from auth_core.oauth.endpoints.callers import Caller
from auth_core.oauth.errors import OAuthError, UnauthorizedClient
from auth_core.oauth.models import Resource
from auth_core.oauth.tokens.active_tokens import judge, read_access_token, thumbprint_in
from auth_core.oauth.tokens.admission import why_not_admitted
from auth_core.oauth.tokens.authorization_lookup import find_by_refresh_token
from auth_core.oauth_resource.errors import BEARER, DPOP

#: The claims of a token that an answer has. The claim ``grant_id`` is ours alone. ``username`` is left out (decision record 0053):
#: here it would be an email address, which a resource server gets by the scope ``email``, if the person consents.
_MEMBERS = (
    "scope", "client_id", "exp", "iat", "sub", "aud", "iss", "jti", "auth_time", "acr", "amr", "act", "cnf",
    "authorization_details",
)  # fmt: skip

_INACTIVE: Mapping[str, Any] = {"active": False}


@endpoint("POST")
def introspect(request: HttpRequest) -> HttpResponseBase:
    """Return what a token says, if it is active and concerns the caller. Everything else looks the same."""
    return json_answer(Caller.answer(request, _state_for))


def active_state(request: HttpRequest) -> Mapping[str, Any] | None:
    """Return what `introspect` answers for an active token of a person and a caller that this process remembers.

    ``None``: anything else. Nothing was changed, so the view can still answer. It is for a layer before Django.
    """
    try:
        caller = Caller.remembered(request)
        return None if caller is None else _state_for(caller)
    except (OAuthError, StaleApplication):
        return None


def _state_for(caller: Caller) -> Mapping[str, Any]:
    """Return the state of the token.

    Raises:
        StaleApplication: the caller is remembered, and the statement that reads the token does not confirm it.
    """
    token = caller.parameters.get("token")
    claims = read_access_token(token)
    if caller.is_remembered:
        return _of_own_token(claims, caller)
    if caller.application.is_public:
        raise UnauthorizedClient("A public client cannot introspect.")
    caller.parameters.require("token")
    if claims is None:
        return _of_refresh_token(token, caller.application)
    if not _concerns(caller.application, claims) or judge(claims) is None:
        return _INACTIVE
    return _active(claims)


def _of_own_token(claims: Mapping[str, Any] | None, caller: Caller) -> Mapping[str, Any]:
    """Return the state of an active token that concerns a remembered caller, from one statement."""
    application = caller.application
    if claims is None or application.is_public or claims.get("grant_id") is None:
        raise StaleApplication
    if judge(claims, asked_by=application) is None or not _concerns(application, claims):
        raise StaleApplication
    return _active(claims)


def _active(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    members = {name: claims[name] for name in _MEMBERS if name in claims}
    return {"active": True, **members, "token_type": DPOP if thumbprint_in(claims) else BEARER}


def _concerns(application: RegisteredApplication, claims: Mapping[str, Any]) -> bool:
    """Return whether the token is the caller's own, or for a resource that it owns."""
    if claims["client_id"] == application.client_id:
        return True
    audience = [claims["aud"]] if isinstance(claims["aud"], str) else claims["aud"]
    return Resource.objects.filter(application=application.pk, uri__in=audience, is_active=True).exists()


def _of_refresh_token(token: str, application: RegisteredApplication) -> Mapping[str, Any]:
    """Return the state of a refresh token of the caller. It has no audience, so it concerns no one else."""
    grounds = find_by_refresh_token(digest(token), application.pk)
    if grounds is None or grounds.first is not None or grounds.second <= timezone.now():
        return _INACTIVE
    authorization = grounds.authorization
    if why_not_admitted(authorization, application):
        return _INACTIVE
    return {
        "active": True,
        "scope": authorization.scope,
        "client_id": application.client_id,
        "sub": authorization.subject,
        "iss": oauth.issuer,
        "iat": int(authorization.created_at.timestamp()),
        "exp": int(min(authorization.expires_at, grounds.second).timestamp()),
        **({"authorization_details": details} if (details := authorization.authorization_details) else {}),
    }
