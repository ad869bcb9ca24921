"""The outbox channel for mail: a text and its HTML, in the reader's language, without remote content."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

import django
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation

from auth_core.conf import core
from auth_core.messages.links import site_name
from auth_core.messages.outbox import Message, Undeliverable
from auth_core.messages.values import closed, usable_language
from auth_core.people.addresses import InvalidAddress, parse

_FOLDER = "auth_core/mail"


def deliver(message: Message) -> None:
    """Send one mail through the configured mail backend.

    The Message-ID is the id of the outbox row, so that a mail system can recognise a mail that was sent twice.

    Raises:
        Undeliverable: the mail would go to another mailbox than the stored address.
    """
    values = message.values
    with (
        translation.override(usable_language(values.get("language", ""))),
        timezone.override(_zone(values["timezone"])),
    ):
        mail = _compose(message, {**values, **message.secret, "at": datetime.fromisoformat(values["at"])})
    mail.send()


def deliver_nowhere(message: Message) -> None:
    """Drop a message without a recipient."""


def _compose(message: Message, context: dict[str, Any]) -> EmailMultiAlternatives:
    """Return the mail. The first line of a template is its subject."""
    recipient = _recipient(context["address"])
    # Every registered name is present, if only empty. Django would otherwise log a missing name with all other values.
    context = {
        **closed(context),
        "language": translation.get_language(),
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
        "site": site_name(),
        "public_url": core.PUBLIC_URL,
    }
    text = render_to_string(f"{_FOLDER}/{message.template}.txt", context)
    subject, _newline, body = text.strip().partition("\n")
    paragraphs = [paragraph.strip() for paragraph in body.strip().split("\n\n") if paragraph.strip()]
    layouts = [f"{_FOLDER}/{message.template}.html", f"{_FOLDER}/layout.html"]
    html = render_to_string(layouts, {**context, "subject": subject, "paragraphs": paragraphs})
    host = urlsplit(core.PUBLIC_URL).hostname or "localhost"
    mail = EmailMultiAlternatives(
        subject=" ".join(subject.split()),
        body="\n\n".join(paragraphs) + "\n",
        to=[recipient],
        # Auto-responders do not answer (RFC 3834 section 5).
        headers={"Message-ID": f"<{message.id}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(html, "text/html")
    return mail


def _recipient(address: str) -> str:
    """Return *address* as the mail backend gets it, with nothing left that a backend would encode by its own rule.

    Django encodes domains by IDNA 2003, which changes some of them into other domains. Django 5.2 encodes letters
    beyond ASCII in the local part, which changes the mailbox. This check also covers rows and host sites that store
    addresses as typed.

    Raises:
        Undeliverable: no backend would deliver to *address* and only to it.
    """
    try:
        mailbox = parse(address).mailbox
    except InvalidAddress:
        # A local name such as root@localhost, from the site's own users. "=?" starts an encoded word.
        mailbox = address if address.isascii() and "=?" not in address else ""
    if not mailbox or not (mailbox.isascii() or django.VERSION >= (6, 0)):
        raise Undeliverable
    return mailbox


def _zone(name: str) -> ZoneInfo | None:
    """Return the reader's time zone. ``None`` for the site's."""
    return ZoneInfo(name) if name in available_timezones() else None
