"""``/oauth/userinfo``: by GET, by POST with the header, and by POST with the token in the body.

Source: OpenID Connect Core section 5.3, RFC 6750 section 2, RFC 9449 section 7.
"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from auth_core.oauth.clients.registry import find_by_public_id
from auth_core.oauth.conf import oauth
from auth_core.oauth.endpoints.answers import endpoint, json_answer
from auth_core.oauth.endpoints.callers import with_cors, with_nonce
from auth_core.oauth.endpoints.parameters import FORM, form_parameters
from auth_core.oauth.errors import InsufficientScope, InvalidRequest, InvalidToken, MissingToken, OAuthError
from auth_core.oauth.registries import OPENID
from auth_core.oauth.tokens import signatures
from auth_core.oauth.tokens.active_tokens import ActiveToken
from auth_core.oauth.tokens.person_claims import USERINFO, claims_of_person
from auth_core.oauth.tokens.presentation import find_presented_token, scheme_of
from auth_core.oauth_resource.errors import BEARER


@endpoint("GET", "POST", "OPTIONS")
@with_cors
@with_nonce
def userinfo(request: HttpRequest) -> HttpResponseBase:
    """Return the claims about the person of the access token."""
    token, claims = _claims(request, *_presented(request))
    return _signed_answer(token, claims) if token.userinfo_algorithm else json_answer(claims)


def granted_claims(request: HttpRequest) -> Mapping[str, Any] | None:
    """Return what `userinfo` answers in JSON to a Bearer token in the header. ``None``: anything else, such as every refusal.

    It is for a layer before Django.
    """
    try:
        scheme, text = _presented(request)
        if scheme != BEARER or "HTTP_DPOP" in request.META:
            return None
        token, claims = _claims(request, scheme, text)
    except OAuthError:
        return None
    return None if token.userinfo_algorithm else claims


def _claims(request: HttpRequest, scheme: str, text: str) -> tuple[ActiveToken, Mapping[str, Any]]:
    """Return the access token *text*, and the claims about its person.

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
    return token, {**claims, "sub": authorization.subject}


def _signed_answer(token: ActiveToken, claims: Mapping[str, Any]) -> HttpResponseBase:
    """Return the claims as the application wants them signed (section 5.3.2). One statement, which reads the application.

    Raises:
        InvalidToken: the application is gone.
    """
    application = find_by_public_id(token.application_id)
    if application is None:
        raise InvalidToken
    # Without ``exp`` it is no ID token for anyone, and no hint for us.
    stated = {"iss": oauth.issuer, "aud": application.client_id, "iat": int(timezone.now().timestamp())}
    text = signatures.sign({**claims, **stated}, algorithm=application.signs_userinfo_with, type_=signatures.USERINFO)
    return HttpResponse(text, content_type="application/jwt", headers={"Cache-Control": "no-store"})


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
