"""The authorization code: how it is issued, and what a client gets for it.

Source: OAuth 2.1 sections 4.1.2 and 4.1.3, RFC 7636, RFC 9700 section 2.1.1.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any, cast

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from auth_core.assurance.evidence import SessionFacts
from auth_core.crypto.secrets import digest, new_secret, same, spend
from auth_core.events import Event, record
from auth_core.oauth.clients.authorization_details import types_of
from auth_core.oauth.clients.registry import RegisteredApplication, StaleApplication
from auth_core.oauth.conf import oauth
from auth_core.oauth.errors import InvalidGrant, InvalidRequest
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.grants.redemption import CodeKind, end_replayed, issue_tokens, redeem, refuse_if_not_admitted
from auth_core.oauth.keys.subjects import subject_of
from auth_core.oauth.models import Authorization, AuthorizationRequest, DeviceRequest
from auth_core.oauth.proofs.one_time import OneTime
from auth_core.oauth.registries import OFFLINE_ACCESS
from auth_core.oauth.tokens.admission import why_not_admitted
from auth_core.request.client import Client
from auth_core.text import Pattern
from auth_core.users import UserLike

#: What a code begins with, for us and for secret scanners.
PREFIX = "eac"

_CODE = Pattern(rf"{PREFIX}_[A-Za-z0-9_-]{{43}}", at_most=47)

#: RFC 7636 section 4.1.
_VERIFIER = Pattern(r"[A-Za-z0-9._~-]{43,128}", at_most=128)

#: S256 of any verifier.
CHALLENGE = Pattern(r"[A-Za-z0-9_-]{43}", at_most=43)


class RequestCompleted(Exception):
    """The authorization request was answered before, from another tab or by a double click."""


def issue_code(
    request: AuthorizationRequest,
    *,
    application: RegisteredApplication,
    user: UserLike,
    session: SessionFacts,
    scopes: Sequence[str],
    resources: Sequence[str],
    claims: dict[str, Any],
    client: Client,
    authorization_details: Sequence[dict[str, Any]] = (),
) -> str:
    """Complete *request* once, write what the person gave, and return the code.

    The caller has decided that the person may and does give it: login, assurance, consent. The code challenge, nonce and
    redirect address are those of the request.

    Args:
        session: The session of the person. Its evidence becomes ``acr``, ``amr`` and ``auth_time``, and its end is that of the
            authorization, unless *scopes* has ``offline_access``.
        scopes: What was given.
        resources: URIs of the resources that tokens may be for, in canonical form.
        claims: The parameter ``claims``, parsed.
        authorization_details: The parameter of that name, checked.

    Raises:
        RequestCompleted: it was completed before.
    """
    code = new_secret(PREFIX)
    give(
        request,
        waiting=AuthorizationRequest.objects.filter(pk=request.pk, completed_at=None),
        application=application,
        user=user,
        session=session,
        scopes=scopes,
        resources=resources,
        claims=claims,
        authorization_details=authorization_details,
        client=client,
        code_digest=digest(code),
        code_expires_at=timezone.now() + oauth.CODE_LIFETIME,
    )
    return code


def give(
    request: AuthorizationRequest | DeviceRequest,
    *,
    waiting: "QuerySet[Any]",
    application: RegisteredApplication,
    user: UserLike,
    session: SessionFacts,
    scopes: Sequence[str],
    resources: Sequence[str],
    claims: dict[str, Any],
    authorization_details: Sequence[dict[str, Any]],
    client: Client,
    **code: Any,
) -> None:
    """Complete *request* once, and write what the person gave. The arguments are those of `issue_code`.

    Args:
        waiting: The row of *request*, if it may be completed.
        code: The columns of the code that the client redeems.

    Raises:
        RequestCompleted: it may not.
    """
    moment = timezone.now()
    is_offline = OFFLINE_ACCESS in scopes
    ends = [moment + application.lifetime_of_authorizations]
    if session.expires_at is not None and not is_offline:
        ends.append(session.expires_at)
    with transaction.atomic(durable=True):
        if not spend(waiting, completed_at=moment):
            raise RequestCompleted
        authorization = Authorization.objects.create(
            application_id=application.pk,
            user=cast("Any", user),
            subject=subject_of(application, user),
            actor_id=session.actor,
            session_id=session.id,
            scope=" ".join(scopes),
            resources=list(resources),
            claims=claims,
            authorization_details=list(authorization_details),
            evidence=[proof.to_json() for proof in session.evidence],
            acr=session.acr,
            amr=session.amr,
            authenticated_at=session.authenticated_at,
            nonce=request.parameters.get("nonce", ""),
            redirect_uri=request.parameters.get("redirect_uri", ""),
            code_challenge=request.parameters.get("code_challenge", ""),
            dpop_jkt=request.dpop_jkt,
            is_offline=is_offline,
            expires_at=min(ends),
            **code,
        )
        record(_granted(authorization, application, client))


def exchange_code(
    application: RegisteredApplication,
    *,
    code: str,
    verifier: str,
    redirect_uri: str,
    resources: Sequence[str],
    client: Client,
    authorization_details: str = "",
    version: str = "",
    thumbprint: str = "",
    unspent: Sequence[OneTime] = (),
) -> dict[str, Any]:
    """Spend *code*, and return the tokens for it.

    It is spent before anything about it is looked at, and stays spent: a wrong verifier, then the right one, gets nothing. A
    code of another application spends nothing, neither itself nor *unspent*. A spent code ends the authorization, committed.

    Args:
        authorization_details: The parameter of that name, which may ask for less than was given. Empty: all.
        version: What *application* must still be. Empty: it has just been read.
        thumbprint: Of the key that the request proved. Empty: none.
        unspent: The assertion and the proof of the request. They are spent with the code.

    Raises:
        InvalidClient, InvalidDPoPProof: one of *unspent* was used before. The code is not spent.
        StaleApplication: it has another version, or *code* is not good. Nothing was changed.
        InvalidGrant: it is wrong, spent, expired, or of a person who is not admitted now, or the verifier is wrong.
        InvalidRequest: the verifier is missing.
        InvalidTarget: a resource was not granted.
        InvalidAuthorizationDetails: they are malformed, or more than was granted.
    """
    authorization = redeem(CodeKind.CODE, _digest(code), application, version=version, unspent=unspent)
    if authorization is None:
        if version:
            raise StaleApplication
        end_replayed(CodeKind.CODE, application, _digest(code), client)
        raise InvalidGrant
    _check_proof(authorization, verifier=verifier, redirect_uri=redirect_uri, thumbprint=thumbprint)
    refuse_if_not_admitted(authorization, application, client)
    with transaction.atomic(durable=True):
        return issue_tokens(
            CodeKind.CODE,
            authorization,
            application,
            resources=resources,
            authorization_details=authorization_details,
            client=client,
            thumbprint=thumbprint,
        )


def exchange_if_granted(
    application: RegisteredApplication,
    *,
    code: str,
    verifier: str,
    redirect_uri: str,
    resources: Sequence[str],
    client: Client,
    authorization_details: str = "",
) -> dict[str, Any]:
    """Return what `exchange_code` returns to *application*, which this process remembers, if it refuses nothing.

    All of it is one transaction, so a refusal changes nothing: the code is not spent, and `exchange_code` can still spend it. It
    is for a layer before Django.

    Raises:
        StaleApplication: *application* has changed, or `exchange_code` would refuse *code*.
        InvalidGrant, InvalidRequest, InvalidTarget, InvalidAuthorizationDetails: as in `exchange_code`.
    """
    with transaction.atomic(durable=True):
        authorization = redeem(CodeKind.CODE, _digest(code), application, version=application.version)
        if authorization is None:
            raise StaleApplication
        _check_proof(authorization, verifier=verifier, redirect_uri=redirect_uri, thumbprint="")
        if why_not_admitted(authorization, application):
            raise StaleApplication
        return issue_tokens(
            CodeKind.CODE,
            authorization,
            application,
            resources=resources,
            authorization_details=authorization_details,
            client=client,
            thumbprint="",
        )


def _digest(code: str) -> str:
    """Return the digest of *code*. Empty if it is none of ours."""
    return digest(code) if _CODE.fullmatch(code) else ""


def _check_proof(authorization: Authorization, *, verifier: str, redirect_uri: str, thumbprint: str) -> None:
    """Check what binds the code to the request.

    Raises:
        InvalidGrant: it has expired, or the verifier, the redirect address or the key is another.
        InvalidRequest: the verifier is missing.
    """
    if authorization.code_expires_at is None or authorization.code_expires_at <= timezone.now():
        raise InvalidGrant
    if authorization.dpop_jkt and not same(authorization.dpop_jkt, thumbprint):
        # The request was bound to a key (RFC 9449 section 10).
        raise InvalidGrant
    # OAuth 2.1 lets a client leave it out here. One that is sent must be that of the request.
    if redirect_uri and redirect_uri != authorization.redirect_uri:
        raise InvalidGrant
    if not authorization.code_challenge:
        if verifier:
            # A verifier without a challenge: the challenge was removed on the way (RFC 9700 section 2.1.1).
            raise InvalidGrant
        return
    if not verifier:
        raise InvalidRequest("The parameter code_verifier is missing.")
    if not _VERIFIER.fullmatch(verifier) or not same(s256(verifier), authorization.code_challenge):
        raise InvalidGrant


def s256(verifier: str) -> str:
    """Return the challenge of *verifier* (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _granted(authorization: Authorization, application: RegisteredApplication, client: Client) -> Event:
    return Event(
        name=OAuthEvent.AUTHORIZATION_GRANTED,
        subject=authorization.user,
        session=authorization.session_id,
        application=application.id,
        client=client,
        data={
            "scope": authorization.scope,
            "resources": authorization.resources,
            "details": types_of(authorization.authorization_details),
            "acr": authorization.acr,
            "offline": authorization.is_offline,
        },
    )
