"""Mails, as their readers find them."""

import re
import smtplib
from typing import Any

import django
from django.core import mail
from django.core.mail.backends.smtp import EmailBackend

from auth_core.messages import outbox


class _Wire(smtplib.SMTP):
    """An SMTP connection that keeps what it would send, and gets a yes for everything."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.content = b""

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Keep a command."""
        self.lines.append(f"{cmd} {args}".strip())

    def getreply(self) -> tuple[int, bytes]:
        """Say yes."""
        return 250, b"ok"

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Keep a message."""
        self.content = msg if isinstance(msg, bytes) else msg.encode()
        return 250, b"ok"


def sent_to(message: Any) -> list[str]:
    """Return the ``RCPT TO`` of the envelope in which Django's SMTP backend would send *message*."""
    wire = _over_wire(message)
    recipients = (re.fullmatch(r"rcpt to:<(.*)>", line, re.IGNORECASE) for line in wire.lines)
    return [found[1] for found in recipients if found]


def bytes_of(message: Any) -> bytes:
    """Return *message* as Django's SMTP backend would send it."""
    return _over_wire(message).content


def _over_wire(message: Any) -> _Wire:
    # A backend belongs to a mailer from Django 6.1 on.
    options: dict[str, Any] = {"alias": "default", "host": "localhost"} if django.VERSION >= (6, 1) else {}
    backend = EmailBackend(**options)
    backend.connection = wire = _Wire()
    backend.send_messages([message])
    return wire


def delivered() -> list[Any]:
    """Deliver what waits, and return what came; the box is empty afterwards."""
    outbox.deliver_due()
    came, mail.outbox[:] = list(mail.outbox), []
    return came


def the_mail() -> Any:
    """Return the only mail there is."""
    (only,) = delivered()
    return only


def link_in(message: Any) -> str:
    """Return the link in a mail."""
    found = re.search(r"^https://\S+$", message.body, re.MULTILINE)
    assert found, f"There is no link in {message.subject!r}."
    return found[0]


def token_in(message: Any) -> str:
    """Return the token at the end of the link in a mail."""
    return link_in(message).rstrip("/").rpartition("/")[2]


def code_in(message: Any) -> str:
    """Return the code in a mail."""
    found = re.search(r"\b(\d{6})\b", message.body)
    assert found, f"There is no code in {message.subject!r}."
    return found[1]
