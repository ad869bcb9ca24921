"""Requests that wait for a person: how they are stored, found by their handle, and completed once."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from auth_core import limits
from auth_core.crypto.secrets import digest, new_secret, spend
from auth_core.oauth.authorization.errors import RequestGone
from auth_core.oauth.authorization.parameters import text_of
from auth_core.oauth.conf import oauth
from auth_core.oauth.models import AuthorizationRequest
from auth_core.oauth.models.authorization_request import Kind
from auth_core.request.client import Client
from auth_core.text import Pattern

#: What a handle begins with. It opens nothing: it only names a request.
PREFIX = "ear"

_HANDLE = Pattern(rf"{PREFIX}_[A-Za-z0-9_-]{{43}}", at_most=47)


def store_request(
    *, kind: Kind, application_pk: Any, parameters: Mapping[str, Any], client: Client
) -> tuple[AuthorizationRequest, str]:
    """Store what a client asked for. Return the row and its handle.

    Anyone can cause such a row, so each is charged to the network.

    Raises:
        TooManyAttempts: too many requests came from this network.
    """
    limits.charge("authorize", client=client)
    handle = new_secret(PREFIX)
    row = new_row(
        handle,
        kind=kind,
        application_pk=application_pk,
        parameters=parameters,
        lifetime=oauth.REQUEST_LIFETIME,
        dpop_jkt=text_of(parameters, "dpop_jkt"),
    )
    row.save(force_insert=True)
    return row, handle


def new_row(
    handle: str, *, kind: Kind, application_pk: Any, parameters: Mapping[str, Any], lifetime: timedelta, **columns: Any
) -> AuthorizationRequest:
    """Return the row of a request, not saved.

    Args:
        lifetime: How long the handle continues it.
        columns: Further columns.
    """
    moment = timezone.now()
    return AuthorizationRequest(
        handle_digest=digest(handle),
        kind=kind,
        application_id=application_pk,
        parameters=dict(parameters),
        created_at=moment,
        expires_at=moment + lifetime,
        **columns,
    )


def find_request(handle: str, *, kind: Kind) -> AuthorizationRequest:
    """Return the request with this handle.

    Raises:
        RequestGone: there is none, or it has expired or was answered.
    """
    if not _HANDLE.fullmatch(handle):
        raise RequestGone
    waiting = AuthorizationRequest.objects.filter(completed_at=None, expires_at__gt=timezone.now())
    row = waiting.filter(handle_digest=digest(handle), kind=kind).first()
    if row is None:
        raise RequestGone
    return row


def complete(row: AuthorizationRequest) -> None:
    """Mark *row* as answered, once.

    Raises:
        RequestGone: it was answered before, from another tab or by a double click.
    """
    if not spend(AuthorizationRequest.objects.filter(pk=row.pk, completed_at=None), completed_at=timezone.now()):
        raise RequestGone
