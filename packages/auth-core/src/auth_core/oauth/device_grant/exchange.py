"""The device code at the token endpoint: what a device hears until the person decides, and what it gets then.

Source: RFC 8628 sections 3.4 and 3.5.
"""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from auth_core.crypto.secrets import digest, same
from auth_core.oauth.authorization.errors import AccessDenied
from auth_core.oauth.clients.registry import RegisteredApplication
from auth_core.oauth.device_grant.requests import PREFIX, count_poll
from auth_core.oauth.errors import ExpiredToken, InvalidGrant
from auth_core.oauth.grants.redemption import CodeKind, end_replayed, issue_tokens, redeem, refuse_if_not_admitted
from auth_core.oauth.models import DeviceRequest
from auth_core.oauth.proofs.one_time import OneTime, spend_all
from auth_core.request.client import Client
from auth_core.text import Pattern

_CODE = Pattern(rf"{PREFIX}_[A-Za-z0-9_-]{{43}}", at_most=47)


def exchange_device_code(
    application: RegisteredApplication,
    *,
    code: str,
    resources: Sequence[str],
    client: Client,
    authorization_details: str = "",
    thumbprint: str = "",
    unspent: Sequence[OneTime] = (),
) -> dict[str, Any]:
    """Spend *code* if the person has approved, and return the tokens for it.

    A spent code ends the authorization, as at the other grant. One of another application spends nothing.

    Args:
        authorization_details: The parameter of that name, which may ask for less than was given. Empty: all.
        thumbprint: Of the key that the request proved. Empty: none.
        unspent: The assertion and the proof of the request. They are spent with the code, or with the poll.

    Raises:
        InvalidClient, InvalidDPoPProof: one of *unspent* was used before. Neither code nor poll counts.
        AuthorizationPending, SlowDown: the person has not decided yet.
        AccessDenied: the person refused.
        ExpiredToken: its time is over.
        InvalidGrant: it is unknown, spent, bound to another key, or of a person who is not admitted now.
        InvalidTarget: a resource was not granted.
        InvalidAuthorizationDetails: they are malformed, or more than was granted.
    """
    digested = digest(code) if _CODE.fullmatch(code) else ""
    # Read before the spend. What is approved after this read is told at the next poll, and never taken for a replay.
    row = DeviceRequest.objects.filter(device_code_digest=digested).first()
    if row is not None and row.application_id != application.pk:  # type: ignore[attr-defined]  # Django adds it
        raise InvalidGrant
    if row is None or row.completed_at is None or row.is_denied or row.is_expired:
        spend_all(unspent)
        _refuse(row)
    authorization = redeem(CodeKind.DEVICE_CODE, digested, application, unspent=unspent)
    if authorization is None:
        end_replayed(CodeKind.DEVICE_CODE, application, digested, client)
        raise InvalidGrant
    if authorization.dpop_jkt and not same(authorization.dpop_jkt, thumbprint):
        raise InvalidGrant
    refuse_if_not_admitted(authorization, application, client)
    with transaction.atomic(durable=True):
        return issue_tokens(
            CodeKind.DEVICE_CODE,
            authorization,
            application,
            resources=resources,
            authorization_details=authorization_details,
            client=client,
            thumbprint=thumbprint,
        )


def _refuse(row: DeviceRequest | None) -> None:
    """Refuse a code that gives nothing now.

    Raises:
        InvalidGrant, AccessDenied, ExpiredToken, AuthorizationPending, SlowDown: always.
    """
    if row is None:
        raise InvalidGrant
    if row.is_denied:
        raise AccessDenied
    if row.is_expired:
        raise ExpiredToken
    count_poll(row)
