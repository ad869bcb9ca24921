"""Which access token is active now, and for which person. Introspection, userinfo and the API ask here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone

from auth_core.crypto.secrets import digest
from auth_core.oauth.clients.registry import RegisteredApplication, find_application
from auth_core.oauth.models import AccessToken, Authorization, RevokedToken
from auth_core.oauth.tokens import signatures
from auth_core.oauth.tokens.access_tokens import PREFIX
from auth_core.oauth.tokens.admission import is_admitted
from auth_core.oauth.tokens.authorization_lookup import find_by_access_token
from auth_core.text import Pattern

_OPAQUE = Pattern(rf"{PREFIX}_[A-Za-z0-9_-]{{43}}", at_most=47)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveToken:
    """An access token that may be used now.

    Args:
        claims: Its claims.
        authorization: What a person gave, with that person. ``None``: the application acts for itself.
        application_id: Public id of its application.
        is_service_account: Whether the application acts for itself and may hold roles.
        userinfo_algorithm: What its application wants userinfo signed with. Empty: nothing.
        answer_headers: What the API adds to its answer: the nonce for the next proof.
    """

    claims: Mapping[str, Any]
    authorization: Authorization | None
    application_id: UUID
    is_service_account: bool = False
    userinfo_algorithm: str = ""
    answer_headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def scopes(self) -> list[str]:
        """Its scopes."""
        return str(self.claims.get("scope", "")).split()

    @property
    def thumbprint(self) -> str:
        """Of the key that it is bound to. Empty: whoever has it may use it."""
        return thumbprint_in(self.claims)

    @property
    def audience(self) -> list[str]:
        """What it is for."""
        aud = self.claims["aud"]
        return [aud] if isinstance(aud, str) else list(aud)


def thumbprint_in(claims: Mapping[str, Any]) -> str:
    """Return the thumbprint of the key that a token with these claims is bound to, or an empty text (RFC 9449 section 6)."""
    return str(claims["cnf"]["jkt"]) if "cnf" in claims else ""


def read_access_token(text: str) -> Mapping[str, Any] | None:
    """Return the claims of an access token that has not expired, or ``None``. Whether it is still active is not asked.

    A JWT makes no query.
    """
    if not is_opaque(text):
        return signatures.read(text, type_=signatures.ACCESS)
    row = AccessToken.objects.filter(digest=digest(text), expires_at__gt=timezone.now()).first()
    return None if row is None else row.claims


def is_opaque(text: str) -> bool:
    """Return whether *text* has the form of our opaque access tokens."""
    return _OPAQUE.fullmatch(text) is not None


def find_active_token(text: str) -> ActiveToken | None:
    """Return the access token *text* if it is active, or ``None``. A JWT takes one query."""
    claims = read_access_token(text)
    return None if claims is None else judge(claims)


def judge(claims: Mapping[str, Any], *, asked_by: RegisteredApplication | None = None) -> ActiveToken | None:
    """Return the token with these claims, which `read_access_token` returned, if it is active.

    Args:
        asked_by: An application that is remembered. The same statement confirms that it has not changed. If it has, or if
            the token is not a person's, the result is ``None``.
    """
    grant_id, jti = claims.get("grant_id"), str(claims.get("jti", ""))
    if grant_id is None:
        return _of_application(claims, jti) if asked_by is None else None
    grounds = find_by_access_token(UUID(str(grant_id)), jti, asked_by=None if asked_by is None else asked_by.pk)
    if grounds is None or grounds.first or grounds.application_id is None:
        return None
    if asked_by is not None and grounds.version != asked_by.version:
        return None
    is_active = grounds.is_application_active
    if not is_admitted(grounds.authorization, grounds.application_id, is_application_active=is_active):
        return None
    return ActiveToken(
        claims=claims,
        authorization=grounds.authorization,
        application_id=grounds.application_id,
        userinfo_algorithm=grounds.userinfo_algorithm,
    )


def _of_application(claims: Mapping[str, Any], jti: str) -> ActiveToken | None:
    application = find_application(str(claims.get("client_id", "")))
    if application is None or not application.is_active or RevokedToken.objects.filter(jti=jti).exists():
        return None
    return ActiveToken(
        claims=claims,
        authorization=None,
        application_id=application.id,
        is_service_account=application.is_service_account,
    )
