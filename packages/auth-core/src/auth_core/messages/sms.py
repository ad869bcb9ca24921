"""Text messages: their form, the backends that send them, and the outbox channel.

The backend is the class in ``AUTH_CORE["SMS_BACKEND"]``. The number and the code are encrypted until it sends them, and
never logged. The backends for gateways are in `auth_core.messages.sms_gateways`.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Protocol

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.module_loading import import_string

from auth_core.conf import core
from auth_core.messages import outbox
from auth_core.messages.links import site_name
from auth_core.messages.outbox import Message
from auth_core.messages.values import closed, usable_language
from auth_core.models import OutboxMessage
from auth_core.users import UserLike

#: The channel of `deliver`.
SMS = "sms"

_FOLDER = "auth_core/sms"

#: Short names that settings may use instead of a dotted path.
BACKENDS: Mapping[str, str] = {
    "console": "auth_core.messages.sms.ConsoleBackend",
    "memory": "auth_core.messages.sms.MemoryBackend",
    "http": "auth_core.messages.sms_gateways.HttpBackend",
    "twilio": "auth_core.messages.sms_gateways.TwilioBackend",
}


@dataclass(frozen=True, slots=True)
class Text:
    """One text message. Never log any part of it.

    Args:
        number: The recipient, as E.164: ``+`` and at most fifteen digits.
        body: The text.
    """

    number: str = field(repr=False)
    body: str = field(repr=False)


class SmsBackend(Protocol):
    """Sends texts. A new instance without arguments is made for each text.

    A class with settings of its own may have a static method ``problems`` that returns their errors, one clause each.
    The system checks call it.
    """

    def send(self, text: Text, *, idempotency_key: str) -> None:
        """Send *text*. If it raises, the text is sent again later.

        Args:
            idempotency_key: The same for every attempt to send one text. A gateway that supports it sends the text
                once.
        """


class ConsoleBackend:
    """Prints texts to standard output, never to a log. For development."""

    def send(self, text: Text, *, idempotency_key: str) -> None:
        """Print *text*."""
        sys.stdout.write(f"SMS to {text.number}:\n{text.body}\n")
        sys.stdout.flush()


class MemoryBackend:
    """Stores texts in `sent`, for tests."""

    sent: ClassVar[list[Text]] = []

    def send(self, text: Text, *, idempotency_key: str) -> None:
        """Store *text*."""
        self.sent.append(text)


class NoSmsBackend(Exception):
    """``SMS_BACKEND`` is empty: this site sends no texts."""


def sends_texts() -> bool:
    """Return whether this site sends texts. Otherwise, features that need texts are not offered."""
    return bool(core.SMS_BACKEND)


def backend_path() -> str:
    """Return the dotted path of the backend. Empty if there is none."""
    return BACKENDS.get(core.SMS_BACKEND, core.SMS_BACKEND)


def post_text(
    *,
    template: str,
    number: str,
    user: UserLike | None = None,
    secret: Mapping[str, str] | None = None,
    values: Mapping[str, Any] | None = None,
    lifetime: timedelta = timedelta(minutes=10),
    channel: str = SMS,
) -> OutboxMessage:
    """Post a text in the current transaction. It is sent after the commit.

    Args:
        template: Name below ``auth_core/sms/``.
        number: The recipient. Encrypted, and wiped when the text is delivered.
        user: The reader, if known, for their language.
        secret: Codes. Encrypted and wiped like the number.
        values: Closed or public values of the template.
        lifetime: How long the text is worth sending.
        channel: `auth_core.messages.notify.NOWHERE` for the same work without a text.

    Raises:
        NoSmsBackend: this site sends no texts. Nothing was written.
        NotInTransaction: there is no transaction.
    """
    if not sends_texts():
        raise NoSmsBackend
    public_values = {"language": getattr(user, "locale", "") or translation.get_language() or "", **(values or {})}
    secret_values = {"number": number, **(secret or {})}
    return outbox.post(
        channel=channel, template=template, values=public_values, secret=secret_values, secret_lifetime=lifetime
    )


def deliver(message: Message) -> None:
    """Send one text of the outbox, with the id of its row as idempotency key.

    Raises:
        NoSmsBackend: the backend was removed after the text was posted.
    """
    if not sends_texts():
        raise NoSmsBackend
    backend: SmsBackend = import_string(backend_path())()
    context = {**closed({**message.values, **message.secret}), "site": site_name(), "public_url": core.PUBLIC_URL}
    with translation.override(usable_language(message.values.get("language", ""))):
        body = render_to_string(f"{_FOLDER}/{message.template}.txt", context).strip()
    backend.send(Text(message.secret["number"], body), idempotency_key=str(message.id))
