"""Telling somebody something by mail: a row in the transaction of the change, delivered after it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone, translation

from auth_core.messages import outbox
from auth_core.models import OutboxMessage
from auth_core.request.client import Client
from auth_core.request.user_agents import device_name

#: The channel that `auth_core.messages.email` delivers.
EMAIL = "email"

#: A channel that delivers nowhere: what is written for nobody costs the same as what is written for somebody.
NOWHERE = "nowhere"


def notify(
    *,
    template: str,
    address: str,
    client: Client,
    user: Any = None,
    secret: Mapping[str, str] | None = None,
    values: Mapping[str, Any] | None = None,
    lifetime: timedelta = timedelta(hours=24),
    channel: str = EMAIL,
) -> OutboxMessage:
    """Post a mail: what happened, when, from where and with what.

    Args:
        template: Name below ``auth_core/mail/``.
        address: Where it goes.
        client: Whose request it tells of; the mail says so, and its reader decides whether it was them.
        user: The reader, if known: their language and time zone.
        secret: Links and codes; encrypted, like the address, and wiped when the mail is delivered.
        values: Closed or public values that the template speaks of; text only under the names that
            `auth_core.messages.values` closes.
        lifetime: How long the mail is worth sending.
        channel: `NOWHERE` for the same work and no mail.
    """
    told = {
        "language": getattr(user, "locale", "") or translation.get_language() or "",
        "timezone": getattr(user, "timezone", ""),
        "at": timezone.now().isoformat(),
        **(values or {}),
    }
    hidden = {"address": address, "ip": client.ip, "device": device_name(client.user_agent), **(secret or {})}
    return outbox.post(channel=channel, template=template, values=told, secret=hidden, secret_lifetime=lifetime)
