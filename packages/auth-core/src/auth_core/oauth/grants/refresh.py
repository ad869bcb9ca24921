"""The refresh token: who may use it once or again, and what a client gets for it.

Source: OAuth 2.1 section 4.3, RFC 9700 section 4.14.
"""

from collections.abc import Sequence
from typing import Any, NoReturn

from django.db import transaction
from django.utils import timezone

from auth_core.crypto.secrets import digest, new_secret
from auth_core.events import Event, record
from auth_core.oauth.clients.authorization_details import narrowed_details, parse_details
from auth_core.oauth.clients.registry import RegisteredApplication, StaleApplication
from auth_core.oauth.clients.scopes import narrowed, split_scope
from auth_core.oauth.conf import oauth
from auth_core.oauth.errors import InvalidGrant
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.grants.ends import end_authorization
from auth_core.oauth.grants.rotation import rotate
from auth_core.oauth.grants.tokens import REFRESH_PREFIX, token_answer
from auth_core.oauth.models import Authorization, RefreshToken
from auth_core.oauth.proofs.one_time import OneTime, spend_all
from auth_core.oauth.tokens.admission import is_lasting, why_not_admitted
from auth_core.oauth.tokens.authorization_lookup import find_by_refresh_token
from auth_core.request.client import Client
from auth_core.text import Pattern

_TOKEN = Pattern(rf"{REFRESH_PREFIX}_[A-Za-z0-9_-]{{43}}", at_most=47)


def new_refresh_token(text: str, authorization: Authorization) -> RefreshToken:
    """Return the unsaved row of a new refresh token of *authorization*."""
    moment = timezone.now()
    return RefreshToken(
        digest=digest(text),
        authorization=authorization,
        created_at=moment,
        expires_at=min(authorization.expires_at, moment + oauth.REFRESH_TOKEN_IDLE_LIFETIME),
    )


def refresh(
    application: RegisteredApplication,
    *,
    token: str,
    scope: str,
    resources: Sequence[str],
    client: Client,
    authorization_details: str = "",
    version: str = "",
    thumbprint: str = "",
    unspent: Sequence[OneTime] = (),
) -> dict[str, Any]:
    """Return new tokens for *token*.

    A public client gets another refresh token, because only that tells a thief from the owner: a token that is used a second
    time ends the authorization. A client that authenticates keeps its token, unless it asked for rotation. No use prolongs
    the authorization.

    The tokens of a public client that proved a key are bound to that key. Another key spends nothing. A client that
    authenticates may come with a new key each time (FAPI 2.0 section 5.3.2.1).

    Args:
        authorization_details: The parameter of that name, which may ask for less than was given. Empty: all.
        version: What *application* must still be. Empty: it has just been read.
        thumbprint: Of the key that the request proved. Empty: none.
        unspent: The assertion and the proof of the request. They are spent with the token.

    Raises:
        InvalidClient, InvalidDPoPProof: one of *unspent* was used before.
        StaleApplication: it has another version, or *token* is not good. Nothing was changed.
        InvalidGrant: it is wrong, used, expired, or of a person who is not admitted now.
        InvalidScope, InvalidTarget, InvalidAuthorizationDetails: it asks for more than was granted. A token that rotates is used all the same.
    """
    if not _TOKEN.fullmatch(token):
        _refuse_malformed(version, unspent)
    rotates = application.rotates
    issued = new_secret(REFRESH_PREFIX) if rotates else ""
    with transaction.atomic(durable=True):
        spend_all(unspent)
        authorization = _find(application, token, issued, version, thumbprint)
        if authorization is None and version:
            raise StaleApplication
        if authorization is None and unspent:
            transaction.set_rollback(_is_foreign(token, application))
        refusal = "unknown" if authorization is None else why_not_admitted(authorization, application)
        if authorization is not None and not refusal:
            record(_refreshed(authorization, application, client))
        elif authorization is not None and is_lasting(refusal):
            end_authorization(authorization, application_id=application.id, reason=refusal, client=client)
    if authorization is None and rotates:
        _end_replayed(application, token, client)
    if authorization is None or refusal:
        raise InvalidGrant
    return _tokens_of(
        application,
        authorization,
        scope=scope,
        resources=resources,
        authorization_details=authorization_details,
        issued=issued,
        thumbprint=thumbprint,
    )


def refresh_if_granted(
    application: RegisteredApplication,
    *,
    token: str,
    scope: str,
    resources: Sequence[str],
    client: Client,
    authorization_details: str = "",
) -> dict[str, Any]:
    """Return what `refresh` returns to *application*, which this process remembers, if it refuses nothing.

    All of it is one transaction, so a refusal changes nothing, and `refresh` can still answer. It is for a layer before Django.

    Raises:
        StaleApplication: *application* has changed, or `refresh` would refuse *token*.
        InvalidScope, InvalidTarget, InvalidAuthorizationDetails: it asks for more than was granted.
    """
    if not _TOKEN.fullmatch(token):
        raise StaleApplication
    issued = new_secret(REFRESH_PREFIX) if application.rotates else ""
    with transaction.atomic(durable=True):
        authorization = _find(application, token, issued, application.version, "")
        if authorization is None or why_not_admitted(authorization, application):
            raise StaleApplication
        body = _tokens_of(
            application,
            authorization,
            scope=scope,
            resources=resources,
            authorization_details=authorization_details,
            issued=issued,
        )
        record(_refreshed(authorization, application, client))
    return body


def _tokens_of(
    application: RegisteredApplication,
    authorization: Authorization,
    *,
    scope: str,
    resources: Sequence[str],
    authorization_details: str,
    issued: str,
    thumbprint: str = "",
) -> dict[str, Any]:
    return token_answer(
        application,
        authorization,
        scopes=narrowed(authorization.scopes, split_scope(scope)),
        resources=resources,
        details=narrowed_details(authorization.authorization_details, parse_details(authorization_details)),
        refresh_token=issued,
        is_first=False,
        thumbprint=thumbprint,
    )


def _refuse_malformed(version: str, unspent: Sequence[OneTime]) -> NoReturn:
    """Refuse what is no refresh token.

    Raises:
        StaleApplication, InvalidGrant, InvalidClient, InvalidDPoPProof: as in `refresh`.
    """
    if version:
        raise StaleApplication
    spend_all(unspent)
    raise InvalidGrant


def _find(
    application: RegisteredApplication, token: str, issued: str, version: str, thumbprint: str
) -> Authorization | None:
    """Return the live authorization of *token*. With *issued*, use the token up and write that one in its place."""
    if issued:
        bound = thumbprint if application.is_public else None
        return rotate(digest(token), application_pk=application.pk, successor=issued, version=version, thumbprint=bound)
    grounds = find_by_refresh_token(digest(token), application.pk)
    if grounds is None or grounds.first is not None or grounds.second <= timezone.now():
        return None
    if version and grounds.version != version:
        return None
    return None if grounds.authorization.refusal else grounds.authorization


def _is_foreign(token: str, application: RegisteredApplication) -> bool:
    rows = RefreshToken.objects.filter(digest=digest(token))
    return rows.exclude(authorization__application=application.pk).exists()


def _end_replayed(application: RegisteredApplication, token: str, client: Client) -> None:
    """End the authorization of a used token. One that is unknown, expired or of another application ends nothing."""
    row = (
        RefreshToken.objects.filter(
            digest=digest(token), authorization__application=application.pk, used_at__isnull=False
        )
        .select_related("authorization__user__auth_identity")
        .first()
    )
    if row is not None:
        with transaction.atomic(durable=True):
            end_authorization(
                row.authorization,
                application_id=application.id,
                reason="refresh_token_replayed",
                name=OAuthEvent.TOKEN_REPLAYED,
                client=client,
            )


def _refreshed(authorization: Authorization, application: RegisteredApplication, client: Client) -> Event:
    return Event(
        name=OAuthEvent.TOKEN_REFRESHED,
        subject=authorization.user,
        session=authorization.session_id,
        application=application.id,
        client=client,
        data={"authorization": str(authorization.pk), "scope": authorization.scope},
    )
