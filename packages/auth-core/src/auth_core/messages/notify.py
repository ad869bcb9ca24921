"""Mail notifications: a row in the transaction of the change, delivered after the commit."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone, translation

from auth_core.messages import outbox
from auth_core.models import OutboxMessage
from auth_core.request.client import Client
from auth_core.request.user_agents import device_name
from auth_core.users import UserLike

#: The channel of `auth_core.messages.email`.
EMAIL = "email"

#: A channel that drops its messages, so that an unknown recipient costs the same work as a known one.
NOWHERE = "nowhere"


def notify(
    *,
    template: str,
    address: str,
    client: Client,
    user: UserLike | None = None,
    secret: Mapping[str, str] | None = None,
    values: Mapping[str, Any] | None = None,
    lifetime: timedelta = timedelta(hours=24),
    channel: str = EMAIL,
) -> OutboxMessage:
    """Post a mail: what happened, when, from where and with which device.

    Args:
        template: Name below ``auth_core/mail/``.
        address: The recipient.
        client: The client of the request. The mail shows it, so that the reader can recognise their own request.
        user: The reader, if known, for their language and time zone.
        secret: Links and codes. Encrypted like the address, and wiped when the mail is delivered.
        values: Closed or public values of the template. Text only under names in `auth_core.messages.values`.
        lifetime: How long the mail is worth sending.
        channel: `NOWHERE` for the same work without a mail.
    """
    public_values = {
        "language": getattr(user, "locale", "") or translation.get_language() or "",
        "timezone": getattr(user, "timezone", ""),
        "at": timezone.now().isoformat(),
        **(values or {}),
    }
    secret_values = {"address": address, "ip": client.ip, "device": device_name(client.user_agent), **(secret or {})}
    return outbox.post(
        channel=channel, template=template, values=public_values, secret=secret_values, secret_lifetime=lifetime
    )
