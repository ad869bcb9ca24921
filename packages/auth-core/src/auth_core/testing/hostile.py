"""Mails and texts with hostile values: what strangers choose must not stand in them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import transaction
from django.template.loader import get_template

from auth_core.messages.notify import notify
from auth_core.messages.values import message_values
from auth_core.request.client import Client
from auth_core.testing.mails import delivered

#: Text of a stranger, as a user agent, a name, a reason or a host could hold it.
HOSTILE = (
    "YOUR ACCOUNT WAS BROKEN INTO call +41 79 123 45 67 https://evil.example mallory@evil.example \u202e\u2066 <b>x</b>"
)

#: What of it must never be read in a mail, not even in a name: links, addresses, numbers, directions, tags.
FORMS = ("//evil", "evil.example", "@evil", "123 45 67", "\u202e", "\u2066", "<b>x", "&lt;b")

#: What must not be read in a mail that names no person. A name is made of words that its owner chose.
MARKS = ("BROKEN", "mallory", *FORMS)

#: Under these a mail names a person.
_NAMES = frozenset({"inviter"})

#: Names under which strangers could send text, besides those that templates may print.
OUTSIDE = (
    "user_agent", "name", "username", "display_name", "host", "label", "device_name", "role", "application", "reason",
    "actor", "city",
)  # fmt: skip

#: What the channels add from settings and the clock.
_OWN = frozenset({"site", "public_url", "at", "language", "subject", "paragraph"})

_PRINTED = re.compile(r"\{\{\s*(\w+)")
_INCLUDED = re.compile(r"\{%\s*include\s+\"([^\"]+)\"")


def templates_in(folder: str, app: str) -> list[str]:
    """Return the names of the templates that *app* has in *folder*, such as ``auth_core/mail``; parts of others not."""
    found = (Path(apps.get_app_config(app).path) / "templates" / folder).glob("[!_]*.txt")
    return sorted(path.stem for path in found)


def printed_by(template: str) -> set[str]:
    """Return the names of the variables that *template* prints, itself or by what it includes."""
    source = _source_of(template)
    return set(_PRINTED.findall(source)).union(*(printed_by(part) for part in _INCLUDED.findall(source)))


def not_closed(template: str, *, numbers: Iterable[str] = ()) -> set[str]:
    """Return what *template* prints and nothing closes.

    Args:
        numbers: Names under which it gets numbers.
    """
    return printed_by(template) - _OWN - set(numbers) - {name for name, _close in message_values.items()}


def marks_in_mail(template: str, *, numbers: Mapping[str, int] | None = None) -> list[str]:
    """Send *template* with hostile text under every name; return the marks of it that its reader would see."""
    names = (
        {name for name, _close in message_values.items()} | printed_by(f"auth_core/mail/{template}.txt") | {*OUTSIDE}
    )
    texts: dict[str, Any] = dict.fromkeys(names - _OWN - {"address"}, HOSTILE)
    client = Client(ip=HOSTILE, user_agent=HOSTILE)
    with transaction.atomic():
        notify(
            template=template,
            address="alice@example.org",
            client=client,
            values={**texts, **(numbers or {})},
            secret={name: text for name, text in texts.items() if name not in (numbers or {})},
        )
    (message,) = delivered()
    marks = FORMS if _NAMES & printed_by(f"auth_core/mail/{template}.txt") else MARKS
    return [mark for mark in marks if any(mark in part for part in _parts_of(message))]


def _parts_of(message: Any) -> Iterator[str]:
    yield message.subject
    yield message.body
    for content, _kind in message.alternatives:
        yield content


def _source_of(template: str) -> str:
    loaded: Any = get_template(template)
    return str(loaded.template.source)
