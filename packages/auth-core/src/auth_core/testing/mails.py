"""Mails, as their readers find them."""

import re
from typing import Any

from django.core import mail

from auth_core import outbox


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
