"""What a successful token request answers (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3)."""

from collections.abc import Sequence
from typing import Any

from auth_core.oauth.clients.authorization_details import details_for_audience
from auth_core.oauth.clients.registry import RegisteredApplication
from auth_core.oauth.clients.scopes import canonical, find_resources
from auth_core.oauth.conf import oauth
from auth_core.oauth.errors import InvalidTarget
from auth_core.oauth.models import Authorization
from auth_core.oauth.registries import OPENID
from auth_core.oauth.tokens.access_tokens import issue_access_token
from auth_core.oauth.tokens.id_tokens import issue_id_token

#: What a refresh token begins with, for us and for secret scanners.
REFRESH_PREFIX = "ert"


def token_answer(
    application: RegisteredApplication,
    authorization: Authorization,
    *,
    scopes: Sequence[str],
    resources: Sequence[str],
    details: Sequence[dict[str, Any]],
    refresh_token: str,
    is_first: bool,
    thumbprint: str = "",
) -> dict[str, Any]:
    """Return the body for tokens of *authorization*.

    Args:
        scopes: Those of the access token. A refresh may ask for fewer than were granted.
        resources: The URIs that the request named. None: all that were granted.
        details: The authorization details. The token has those for its audience.
        refresh_token: Empty: the client gets none, or keeps the one it has.
        is_first: Whether it answers a code, so that the ID token has the nonce of the request.
        thumbprint: Of the key that the access token is bound to. Empty: none.

    Raises:
        InvalidTarget: a resource was not granted.
    """
    audience = audience_of(authorization.resources, resources)
    carried = details_for_audience(details, audience)
    access = issue_access_token(
        application,
        scopes=scopes,
        resources=find_resources(audience),
        audience=audience,
        authorization=authorization,
        thumbprint=thumbprint,
        details=carried,
    )
    body: dict[str, Any] = {
        "access_token": access.text,
        "token_type": access.type,
        "expires_in": int(access.lifetime.total_seconds()),
        "scope": " ".join(scopes),
    }
    if carried:
        body["authorization_details"] = carried
    if refresh_token:
        body["refresh_token"] = refresh_token
    if OPENID in scopes:
        body["id_token"] = issue_id_token(
            application, authorization, authorization.user, access_token=access.text, with_nonce=is_first
        )
    return body


def audience_of(granted: Sequence[str], resources: Sequence[str]) -> list[str]:
    """Return the audience of a token: *resources*, which must have been granted, or all that was granted, or the issuer.

    Raises:
        InvalidTarget: a resource was not granted.
    """
    wanted = list(dict.fromkeys(map(canonical, resources)))
    if not set(wanted) <= {*granted, oauth.issuer}:
        raise InvalidTarget
    return wanted or list(granted) or [oauth.issuer]
