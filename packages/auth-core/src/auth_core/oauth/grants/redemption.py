"""What a code and a device code have in common: each is spent once, and gives tokens once.

Source: RFC 6749 section 4.1.2, RFC 8628 section 3.4.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Any

from django.db import transaction

from auth_core.crypto.secrets import new_secret
from auth_core.events import Event, record
from auth_core.oauth.clients.authorization_details import narrowed_details, parse_details
from auth_core.oauth.clients.registry import REFRESH_TOKEN, RegisteredApplication
from auth_core.oauth.errors import InvalidGrant
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.grants.code_spend import spend_code
from auth_core.oauth.grants.ends import end_authorization
from auth_core.oauth.grants.refresh import new_refresh_token
from auth_core.oauth.grants.tokens import REFRESH_PREFIX, token_answer
from auth_core.oauth.models import Authorization, RefreshToken
from auth_core.oauth.proofs.one_time import OneTime, spend_all
from auth_core.oauth.tokens.admission import is_lasting, why_not_admitted
from auth_core.request.client import Client


class CodeKind(Enum):
    """The two kinds: the column of the digest, what is recorded for each use, and the reason of an end by a replay."""

    CODE = "code_digest", OAuthEvent.CODE_EXCHANGED, OAuthEvent.CODE_REPLAYED, "code_replayed"
    DEVICE_CODE = (
        "device_code_digest",
        OAuthEvent.DEVICE_CODE_EXCHANGED,
        OAuthEvent.DEVICE_CODE_REPLAYED,
        "device_code_replayed",
    )

    def __init__(self, column: str, exchanged: OAuthEvent, replayed: OAuthEvent, reason: str) -> None:
        self.column = column
        self.exchanged = exchanged
        self.replayed = replayed
        self.reason = reason


def redeem(
    kind: CodeKind,
    digested: str,
    application: RegisteredApplication,
    *,
    version: str = "",
    unspent: Sequence[OneTime] = (),
) -> Authorization | None:
    """Spend the code with this digest together with *unspent*, all or nothing if it is one of another application.

    Args:
        digested: Empty: what was presented cannot be a code.
        version: What *application* must still be. Empty: it has just been read.

    Returns:
        ``None``: it is unknown, spent or of another application, or the application has changed.

    Raises:
        InvalidClient, InvalidDPoPProof: one of *unspent* was used before. Nothing is spent.
    """
    if not unspent:
        # One statement needs no transaction.
        return spend_code(kind.column, digested, application_pk=application.pk, version=version) if digested else None
    with transaction.atomic(durable=True):
        spend_all(unspent)
        authorization = spend_code(kind.column, digested, application_pk=application.pk) if digested else None
        if authorization is None and _is_foreign(kind, digested, application):
            transaction.set_rollback(True)
    return authorization


def issue_tokens(
    kind: CodeKind,
    authorization: Authorization,
    application: RegisteredApplication,
    *,
    resources: Sequence[str],
    authorization_details: str,
    client: Client,
    thumbprint: str,
) -> dict[str, Any]:
    """Write the refresh token and the event, and return the tokens. What cannot be recorded is not issued.

    Call this inside a transaction.

    Args:
        authorization_details: The parameter of that name, which may ask for less than was given. Empty: all.

    Raises:
        InvalidTarget: a resource was not granted.
        InvalidAuthorizationDetails: they are malformed, or more than was granted.
    """
    details = narrowed_details(authorization.authorization_details, parse_details(authorization_details))
    text = new_secret(REFRESH_PREFIX) if REFRESH_TOKEN in application.grants else ""
    body = token_answer(
        application,
        authorization,
        scopes=authorization.scopes,
        resources=resources,
        details=details,
        refresh_token=text,
        is_first=True,
        thumbprint=thumbprint,
    )
    if text and thumbprint != authorization.dpop_jkt and application.is_public:
        # Its refresh tokens are bound to the key. Those of a client that authenticates are bound to the client.
        Authorization.objects.filter(pk=authorization.pk).update(dpop_jkt=thumbprint)
    if text:
        RefreshToken.objects.bulk_create([new_refresh_token(text, authorization)])
    record(
        Event(
            name=kind.exchanged,
            subject=authorization.user,
            session=authorization.session_id,
            application=application.id,
            client=client,
            data={"authorization": str(authorization.pk), "scope": authorization.scope},
        )
    )
    return body


def refuse_if_not_admitted(authorization: Authorization, application: RegisteredApplication, client: Client) -> None:
    """End what a person gave who is not admitted any more.

    Raises:
        InvalidGrant: they are not admitted.
    """
    reason = why_not_admitted(authorization, application)
    if not reason:
        return
    if is_lasting(reason):
        with transaction.atomic(durable=True):
            end_authorization(authorization, application_id=application.id, reason=reason, client=client)
    raise InvalidGrant


def end_replayed(kind: CodeKind, application: RegisteredApplication, digested: str, client: Client) -> None:
    """End the authorization of a spent code. A code that was never issued to this application has none."""
    if not digested:
        return
    replayed = (
        Authorization.objects.filter(**{kind.column: digested}, application=application.pk)
        .select_related("user__auth_identity")
        .first()
    )
    if replayed is not None:
        with transaction.atomic(durable=True):
            end_authorization(
                replayed, application_id=application.id, reason=kind.reason, name=kind.replayed, client=client
            )


def _is_foreign(kind: CodeKind, digested: str, application: RegisteredApplication) -> bool:
    return Authorization.objects.filter(**{kind.column: digested}).exclude(application=application.pk).exists()
