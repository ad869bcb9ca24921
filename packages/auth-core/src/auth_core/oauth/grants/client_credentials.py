"""Client credentials: an application acts for itself. It has no authorization, because no person gave anything."""

import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from auth_core.events import Event, record
from auth_core.oauth.clients.registry import RegisteredApplication
from auth_core.oauth.clients.scopes import canonical, find_resources, scopes_for_itself
from auth_core.oauth.conf import oauth
from auth_core.oauth.errors import UnauthorizedClient
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.proofs.one_time import OneTime, spend_all
from auth_core.oauth.tokens.access_tokens import issue_access_token
from auth_core.request.client import Client

#: How often the trail gets an entry about one application.
_PERIOD = timedelta(hours=1)

_lock = threading.Lock()
#: For each application of this process: when the next entry is due, and how many tokens it will count.
_counts: dict[UUID, tuple[float, int]] = {}


def issue_for_itself(
    application: RegisteredApplication,
    *,
    scopes: Sequence[str],
    resources: Sequence[str],
    client: Client,
    thumbprint: str = "",
    unspent: Sequence[OneTime] = (),
) -> dict[str, Any]:
    """Return an access token for *application* itself.

    Args:
        thumbprint: Of the key that the token is bound to. Empty: none.
        unspent: The assertion and the proof of the request.

    Raises:
        InvalidClient, InvalidDPoPProof: one of *unspent* was used before.
        UnauthorizedClient: it is public, so anyone could be it.
        InvalidScope: it asks for a scope about a person, or one that it may not have.
        InvalidTarget: a resource is unknown.
    """
    spend_all(unspent)
    if application.is_public:
        raise UnauthorizedClient
    rows = find_resources(resources)
    granted = scopes_for_itself(application, scopes, rows)
    audience = list(dict.fromkeys(map(canonical, resources))) or [oauth.issuer]
    access = issue_access_token(application, scopes=granted, resources=rows, audience=audience, thumbprint=thumbprint)
    _count(application, client)
    return {
        "access_token": access.text,
        "token_type": access.type,
        "expires_in": int(access.lifetime.total_seconds()),
        "scope": " ".join(granted),
    }


def _count(application: RegisteredApplication, client: Client) -> None:
    """Count a token. The first one, and the first after an hour, records how many there were in this process.

    If that fails, the next token is to be recorded, with those that were counted before. No token is issued without an entry.
    """
    now = timezone.now().timestamp()
    with _lock:
        due, count = _counts.get(application.id, (now, 0))
        is_due = due <= now
        _counts[application.id] = (now + _PERIOD.total_seconds(), 0) if is_due else (due, count + 1)
    if is_due:
        try:
            _record(application, client, count + 1)
        except BaseException:
            with _lock:
                _counts[application.id] = (now, count + _counts[application.id][1])
            raise


def _record(application: RegisteredApplication, client: Client, count: int) -> None:
    with transaction.atomic(durable=True):
        record(Event(name=OAuthEvent.TOKENS_ISSUED, application=application.id, client=client, data={"count": count}))


def forget_counts() -> None:
    """Begin to count again. For tests."""
    _counts.clear()
