"""The channel that sends mails: a text and its HTML, in the reader's language, with nothing fetched from anywhere."""

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
from auth_core.messages.values import closed
from auth_core.people.addresses import InvalidAddress, parse

_FOLDER = "auth_core/mail"


def deliver(message: Message) -> None:
    """Send one mail through the host's mail backend.

    The id of the message is that of the outbox row, so that a mail which was sent twice
    is seen as one by whoever keeps it.

    Raises:
        Undeliverable: the mail would arrive at another mailbox than the stored address.
    """
    values = message.values
    with translation.override(_language(values.get("language", ""))), timezone.override(_zone(values["timezone"])):
        mail = _compose(message, {**values, **message.secret, "at": datetime.fromisoformat(values["at"])})
    mail.send()


def deliver_nowhere(message: Message) -> None:
    """Drop a message that was written for nobody."""


def _compose(message: Message, told: dict[str, Any]) -> EmailMultiAlternatives:
    """Return the mail; the first line of a template is its subject."""
    recipient = _recipient(told["address"])
    # Every name is there, if only as nothing: a template that asks for it in vain would have Django log all the rest.
    told = {**closed(told), "language": translation.get_language(), "site": site_name(), "public_url": core.PUBLIC_URL}
    text = render_to_string(f"{_FOLDER}/{message.template}.txt", told)
    subject, _end, body = text.strip().partition("\n")
    paragraphs = [paragraph.strip() for paragraph in body.strip().split("\n\n") if paragraph.strip()]
    layouts = [f"{_FOLDER}/{message.template}.html", f"{_FOLDER}/layout.html"]
    html = render_to_string(layouts, {**told, "subject": subject, "paragraphs": paragraphs})
    host = urlsplit(core.PUBLIC_URL).hostname or "localhost"
    mail = EmailMultiAlternatives(
        subject=" ".join(subject.split()),
        body="\n\n".join(paragraphs) + "\n",
        to=[recipient],
        # Answering machines keep quiet (RFC 3834 section 5).
        headers={"Message-ID": f"<{message.id}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(html, "text/html")
    return mail


def _recipient(address: str) -> str:
    """Return *address* as the mail backend gets it: no part is left that a backend would encode by a rule of its own.

    Django encodes domains by IDNA 2003, which makes another domain of some. Django 5.2
    encodes letters beyond ASCII in the local part, which makes another mailbox. Both are
    known at the latest here, also for rows and host sites that store what was typed.

    Raises:
        Undeliverable: no backend would reach *address* and only it.
    """
    try:
        mailbox = parse(address).mailbox
    except InvalidAddress:
        # A local name such as root@localhost, of a site with users of its own. "=?" begins an encoded word.
        mailbox = address if address.isascii() and "=?" not in address else ""
    if not mailbox or not (mailbox.isascii() or django.VERSION >= (6, 0)):
        raise Undeliverable
    return mailbox


def _language(wanted: str) -> str:
    """Return a language that there are translations for, or the site's own."""
    try:
        return translation.get_supported_language_variant(wanted)
    except LookupError:
        return translation.get_language() or "en"


def _zone(name: str) -> ZoneInfo | None:
    """Return the reader's time zone; ``None``: the site's."""
    return ZoneInfo(name) if name in available_timezones() else None
