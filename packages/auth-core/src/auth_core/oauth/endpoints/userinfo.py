"""``/oauth/userinfo``: by GET, by POST with the header, and by POST with the token in the body.

Source: OpenID Connect Core section 5.3, RFC 6750 section 2, RFC 9449 section 7.
"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from auth_core.oauth.conf import oauth
from auth_core.oauth.endpoints.answers import endpoint, json_answer
from auth_core.oauth.endpoints.callers import with_cors, with_nonce
from auth_core.oauth.endpoints.parameters import FORM, form_parameters
from auth_core.oauth.errors import InsufficientScope, InvalidRequest, InvalidToken, MissingToken, OAuthError
from auth_core.oauth.registries import OPENID
from auth_core.oauth.tokens.person_claims import USERINFO, claims_of_person
from auth_core.oauth.tokens.presentation import BEARER, find_presented_token, scheme_of


@endpoint("GET", "POST", "OPTIONS")
@with_cors
@with_nonce
def userinfo(request: HttpRequest) -> HttpResponseBase:
    """Return the claims about the person of the access token."""
    return json_answer(_claims(request, *_presented(request)))


def granted_claims(request: HttpRequest) -> Mapping[str, Any] | None:
    """Return what `userinfo` answers to a Bearer token in the header. ``None``: anything else, such as every refusal.

    It is for a layer before Django.
    """
    try:
        scheme, text = _presented(request)
        return _claims(request, scheme, text) if scheme == BEARER and "HTTP_DPOP" not in request.META else None
    except OAuthError:
        return None


def _claims(request: HttpRequest, scheme: str, text: str) -> Mapping[str, Any]:
    """Return the claims about the person of the access token *text*.

    Raises:
        InvalidToken, InsufficientScope, ProofRefused: it does not give access to them.
    """
    token = find_presented_token(request, scheme, text)
    if oauth.issuer not in token.audience or token.authorization is None:
        raise InvalidToken(scheme=scheme)
    if OPENID not in token.scopes:
        raise InsufficientScope(OPENID)
    authorization = token.authorization
    claims = claims_of_person(authorization.user, token.scopes, authorization.claims, member=USERINFO)
    return {**claims, "sub": authorization.subject}


def _presented(request: HttpRequest) -> tuple[str, str]:
    """Return the access token after its scheme. One in the URL is not read: it would be in every log.

    Raises:
        MissingToken: there is none.
        InvalidRequest: there are two.
    """
    scheme, _space, in_header = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    has_form = request.method == "POST" and request.content_type == FORM
    in_body = form_parameters(request).get("access_token") if has_form else ""
    if in_body and scheme:
        raise InvalidRequest("Send the access token once.")
    text = in_header.strip() or in_body
    presented = scheme_of(scheme or BEARER)
    if not presented or not text:
        raise MissingToken
    return presented, text
