"""Access tokens: JWTs as RFC 9068 describes, or opaque ones with a row."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from auth_core.crypto.secrets import digest, new_secret
from auth_core.oauth.clients.registry import RegisteredApplication
from auth_core.oauth.conf import oauth
from auth_core.oauth.models import AccessToken, Authorization, Resource
from auth_core.oauth.models.application_policy import TokenFormat
from auth_core.oauth.tokens import signatures

#: What an opaque access token begins with, for us and for secret scanners.
PREFIX = "eat"


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new access token.

    Args:
        text: What the client gets.
        lifetime: How long it is valid.
        type: The scheme with which it is presented.
    """

    text: str = field(repr=False)
    lifetime: timedelta
    type: str


def issue_access_token(
    application: RegisteredApplication,
    *,
    scopes: Sequence[str],
    resources: Sequence[Resource],
    audience: Sequence[str],
    authorization: Authorization | None = None,
    thumbprint: str = "",
    details: Sequence[dict[str, Any]] = (),
    received: Mapping[str, Any] | None = None,
) -> IssuedToken:
    """Return a new access token of *application*. A JWT writes no row.

    Args:
        resources: The rows of the audience. The issuer itself has none.
        authorization: What a person gave. ``None``: the application acts for itself.
        thumbprint: Of the key that the token is bound to (RFC 9449 section 6). Empty: whoever has it may use it.
        details: Authorization details (RFC 9396 section 9.1).
        received: The claims of the token that *application* received and exchanges, so that it acts for the person of
            *authorization* (RFC 8693). The new token never outlives it. ``None``: it is not exchanged.
    """
    type_, moment = "DPoP" if thumbprint else "Bearer", timezone.now()
    lifetime = application.lifetime_of_access
    if received is not None:
        lifetime = min(lifetime, timedelta(seconds=received["exp"] - int(moment.timestamp())))
    claims: dict[str, Any] = {
        "iss": oauth.issuer,
        "sub": application.client_id if authorization is None else authorization.subject,
        "aud": audience[0] if len(audience) == 1 else list(audience),
        "client_id": application.client_id,
        "iat": int(moment.timestamp()),
        "exp": int((moment + lifetime).timestamp()),
        "jti": secrets.token_urlsafe(18),
        "scope": " ".join(scopes),
        **({} if authorization is None else _about(authorization)),
        **({"authorization_details": list(details)} if details else {}),
        **({} if received is None else {"act": acting(application, received)}),
        **({"cnf": {"jkt": thumbprint}} if thumbprint else {}),
    }
    formats = {resource.token_format or application.token_format for resource in resources} or {
        application.token_format
    }
    if TokenFormat.OPAQUE in formats:
        return IssuedToken(_stored(application, authorization, claims, moment + lifetime), lifetime, type_)
    is_weak = any(resource.signing_algorithm == "RS256" for resource in resources) and not application.is_high
    algorithm = "RS256" if is_weak else "ES256"
    return IssuedToken(signatures.sign(claims, algorithm=algorithm, type_=signatures.ACCESS), lifetime, type_)


def _about(authorization: Authorization) -> dict[str, Any]:
    """Return the claims about a person's authorization (RFC 9068 section 2.2.1, RFC 8693 section 4.1)."""
    claims: dict[str, Any] = {"grant_id": str(authorization.pk)}
    if authorization.authenticated_at is not None:
        claims["auth_time"] = int(authorization.authenticated_at.timestamp())
    if authorization.acr:
        claims["acr"] = authorization.acr
    if authorization.amr:
        claims["amr"] = authorization.amr
    if authorization.actor_id is not None:
        claims["act"] = {"sub": str(authorization.actor_id)}
    return claims


def acting(application: RegisteredApplication, received: Mapping[str, Any]) -> dict[str, Any]:
    """Return who acts: *application*, and those that acted before it with the token that it received (RFC 8693 section 4.1)."""
    return {"sub": application.client_id, **({"act": received["act"]} if "act" in received else {})}


def _stored(
    application: RegisteredApplication,
    authorization: Authorization | None,
    claims: dict[str, Any],
    expires_at: datetime,
) -> str:
    text = new_secret(PREFIX)
    AccessToken.objects.create(
        digest=digest(text),
        application_id=application.pk,
        authorization=authorization,
        claims=claims,
        expires_at=expires_at,
    )
    return text
