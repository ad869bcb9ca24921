"""Text messages: what one is, who sends it, and the channel that takes it out of the outbox.

How a text leaves the house is one class behind ``AUTH_CORE["SMS_BACKEND"]``; the
number and the code are encrypted until then, and never logged. Those that speak to a
gateway are in `auth_core.messages.sms_gateways`.
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
from auth_core.messages.values import closed
from auth_core.models import OutboxMessage

#: The channel that `deliver` serves.
SMS = "sms"

_FOLDER = "auth_core/sms"

#: What settings may say instead of a dotted path.
BACKENDS: Mapping[str, str] = {
    "console": "auth_core.messages.sms.ConsoleBackend",
    "memory": "auth_core.messages.sms.MemoryBackend",
    "http": "auth_core.messages.sms_gateways.HttpBackend",
    "twilio": "auth_core.messages.sms_gateways.TwilioBackend",
}


@dataclass(frozen=True, slots=True)
class Text:
    """One text message; neither part of it belongs into a log.

    Args:
        number: Where it goes, as E.164: ``+`` and at most fifteen digits.
        body: What it says.
    """

    number: str = field(repr=False)
    body: str = field(repr=False)


class SmsBackend(Protocol):
    """What sends texts; made anew for each, without arguments.

    A class with settings of its own may have a static method ``problems`` that returns
    what is wrong with them, a clause each; the checks ask it.
    """

    def send(self, text: Text, *, idempotency_key: str) -> None:
        """Send *text*, or raise; what raises is tried again.

        Args:
            idempotency_key: The same at every attempt of one text; a gateway that knows it sends it once.
        """


class ConsoleBackend:
    """Prints texts to standard output, never into a log; for the desk of whoever develops a site."""

    def send(self, text: Text, *, idempotency_key: str) -> None:
        """Print *text*."""
        sys.stdout.write(f"SMS to {text.number}:\n{text.body}\n")
        sys.stdout.flush()


class MemoryBackend:
    """Keeps texts in `sent`, for tests."""

    sent: ClassVar[list[Text]] = []

    def send(self, text: Text, *, idempotency_key: str) -> None:
        """Keep *text*."""
        self.sent.append(text)


class NoSmsBackend(Exception):
    """``SMS_BACKEND`` is empty: this site sends no texts."""


def sends_texts() -> bool:
    """Say whether this site sends texts; what needs one is not offered otherwise."""
    return bool(core.SMS_BACKEND)


def backend_path() -> str:
    """Return the dotted path of the class that sends texts; empty: there is none."""
    return BACKENDS.get(core.SMS_BACKEND, core.SMS_BACKEND)


def post_text(
    *,
    template: str,
    number: str,
    user: Any = None,
    secret: Mapping[str, str] | None = None,
    values: Mapping[str, Any] | None = None,
    lifetime: timedelta = timedelta(minutes=10),
    channel: str = SMS,
) -> OutboxMessage:
    """Post a text into the transaction that is open; it goes out after the commit.

    Args:
        template: Name below ``auth_core/sms/``.
        number: Where it goes; encrypted, and wiped when the text is delivered.
        user: The reader, if known: their language.
        secret: Codes; encrypted and wiped like the number.
        values: Closed or public values that the template speaks of.
        lifetime: How long the text is worth sending.
        channel: `auth_core.messages.notify.NOWHERE` for the same work and no text.

    Raises:
        NoSmsBackend: this site sends none; nothing was written.
        NotInTransaction: there is none.
    """
    if not sends_texts():
        raise NoSmsBackend
    told = {"language": getattr(user, "locale", "") or translation.get_language() or "", **(values or {})}
    hidden = {"number": number, **(secret or {})}
    return outbox.post(channel=channel, template=template, values=told, secret=hidden, secret_lifetime=lifetime)


def deliver(message: Message) -> None:
    """Send one text of the outbox under the id of its row.

    Raises:
        NoSmsBackend: the backend was taken away since the text was posted.
    """
    if not sends_texts():
        raise NoSmsBackend
    backend: SmsBackend = import_string(backend_path())()
    told = {**closed({**message.values, **message.secret}), "site": site_name(), "public_url": core.PUBLIC_URL}
    with translation.override(_language(message.values.get("language", ""))):
        body = render_to_string(f"{_FOLDER}/{message.template}.txt", told).strip()
    backend.send(Text(message.secret["number"], body), idempotency_key=str(message.id))


def _language(wanted: str) -> str:
    """Return a language that there are translations for, or the site's own."""
    try:
        return translation.get_supported_language_variant(wanted)
    except LookupError:
        return translation.get_language() or "en"
