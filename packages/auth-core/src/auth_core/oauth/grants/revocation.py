"""The revocation of a token by the application that has it.

Source: RFC 7009.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from auth_core.crypto.secrets import digest
from auth_core.events import Event, record
from auth_core.oauth.clients.registry import RegisteredApplication
from auth_core.oauth.errors import InvalidRequest
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.grants.ends import end_authorization
from auth_core.oauth.models import Authorization, RefreshToken, RevokedToken
from auth_core.oauth.tokens.active_tokens import read_access_token
from auth_core.request.client import Client


def revoke(application: RegisteredApplication, token: str, client: Client) -> None:
    """Revoke *token*. One that is unknown, expired or revoked is not an error (section 2.2).

    A refresh token ends its authorization, and with it every access token. An access token ends alone.

    Raises:
        InvalidRequest: it belongs to another application (section 2.1).
    """
    row = (
        RefreshToken.objects.filter(digest=digest(token))
        .select_related("authorization__user__auth_identity", "authorization__application")
        .first()
    )
    if row is not None:
        _refuse_foreign(row.authorization.application_id == application.pk)
        with transaction.atomic(durable=True):
            end_authorization(row.authorization, application_id=application.id, reason="revoked", client=client)
        return
    claims = read_access_token(token)
    if claims is not None:
        _refuse_foreign(claims["client_id"] == application.client_id)
        _revoke_access_token(application, claims, client)


def _refuse_foreign(is_own: bool) -> None:
    if not is_own:
        raise InvalidRequest("The token belongs to another client.")


def _revoke_access_token(application: RegisteredApplication, claims: Mapping[str, Any], client: Client) -> None:
    """Remember the id of a token until it expires. An id that is there already was revoked before."""
    with transaction.atomic(durable=True):
        _row, is_new = RevokedToken.objects.get_or_create(
            jti=claims["jti"], defaults={"expires_at": datetime.fromtimestamp(claims["exp"], tz=UTC)}
        )
        if not is_new:
            return
        grant_id = claims.get("grant_id")
        authorization = Authorization.objects.filter(pk=grant_id).select_related("user").first() if grant_id else None
        record(
            Event(
                name=OAuthEvent.TOKEN_REVOKED,
                subject=None if authorization is None else authorization.user,
                application=application.id,
                client=client,
                data={"authorization": grant_id or ""},
            )
        )
