"""Mails as their recipients get them."""

import re
import smtplib
from typing import TYPE_CHECKING, Any

import django
from django.core import mail
from django.core.mail.backends.smtp import EmailBackend

from auth_core.messages import outbox

if TYPE_CHECKING:
    from django.core.mail import EmailMessage


class _Wire(smtplib.SMTP):
    """An SMTP connection that records what it would send and accepts every command."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.content = b""

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Record a command."""
        self.lines.append(f"{cmd} {args}".strip())

    def getreply(self) -> tuple[int, bytes]:
        """Accept the command."""
        return 250, b"ok"

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Record a message."""
        self.content = msg if isinstance(msg, bytes) else msg.encode()
        return 250, b"ok"


def sent_to(message: "EmailMessage") -> list[str]:
    """Return the ``RCPT TO`` addresses with which Django's SMTP backend would send *message*."""
    wire = _over_wire(message)
    matches = (re.fullmatch(r"rcpt to:<(.*)>", line, re.IGNORECASE) for line in wire.lines)
    return [match[1] for match in matches if match]


def bytes_of(message: "EmailMessage") -> bytes:
    """Return *message* as Django's SMTP backend would send it."""
    return _over_wire(message).content


def _over_wire(message: "EmailMessage") -> _Wire:
    # Since Django 6.1 a backend belongs to a mailer.
    options: dict[str, Any] = {"alias": "default", "host": "localhost"} if django.VERSION >= (6, 1) else {}
    backend = EmailBackend(**options)
    backend.connection = wire = _Wire()
    backend.send_messages([message])
    return wire


def delivered() -> list[Any]:
    """Deliver the pending mails, empty the mailbox and return them."""
    outbox.deliver_due()
    mails, mail.outbox[:] = list(mail.outbox), []
    return mails


def the_mail() -> Any:
    """Return the only delivered mail."""
    (only,) = delivered()
    return only


def link_in(message: Any) -> str:
    """Return the link in a mail."""
    match = re.search(r"^https://\S+$", message.body, re.MULTILINE)
    assert match, f"There is no link in {message.subject!r}."
    return match[0]


def token_in(message: "EmailMessage") -> str:
    """Return the token at the end of the link in a mail."""
    return link_in(message).rstrip("/").rpartition("/")[2]


def code_in(message: Any) -> str:
    """Return the code in a mail."""
    match = re.search(r"\b(\d{6})\b", message.body)
    assert match, f"There is no code in {message.subject!r}."
    return match[1]
