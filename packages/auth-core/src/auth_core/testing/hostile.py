"""Mails and text messages with hostile values. Text that strangers choose must not appear in them."""

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

#: Hostile text, as a user agent, a name, a reason or a host could contain it.
HOSTILE = (
    "YOUR ACCOUNT WAS BROKEN INTO call +41 79 123 45 67 https://evil.example mallory@evil.example \u202e\u2066 <b>x</b>"
)

#: Parts that no mail may show, not even in a name: links, addresses, numbers, direction marks and tags.
FORMS = ("//evil", "evil.example", "@evil", "123 45 67", "\u202e", "\u2066", "<b>x", "&lt;b")

#: Parts that a mail without a name may not show. A name contains words that its owner chose.
MARKS = ("BROKEN", "mallory", *FORMS)

#: Template variables that hold the name of a person.
_NAMES = frozenset({"inviter"})

#: Names of values that strangers could influence, besides those that templates print.
OUTSIDE = (
    "user_agent", "name", "username", "display_name", "host", "label", "device_name", "role", "application", "reason",
    "actor", "city",
)  # fmt: skip

#: Variables that the channels add from settings and the clock.
_OWN = frozenset({"site", "public_url", "at", "language", "subject", "paragraph"})

_PRINTED = re.compile(r"\{\{\s*(\w+)")
_INCLUDED = re.compile(r"\{%\s*include\s+\"([^\"]+)\"")


def templates_in(folder: str, app: str) -> list[str]:
    """Return the names of the templates of *app* in *folder*, such as ``auth_core/mail``, without partials."""
    paths = (Path(apps.get_app_config(app).path) / "templates" / folder).glob("[!_]*.txt")
    return sorted(path.stem for path in paths)


def printed_by(template: str) -> set[str]:
    """Return the variables that *template* and its includes print."""
    source = _source_of(template)
    return set(_PRINTED.findall(source)).union(*(printed_by(part) for part in _INCLUDED.findall(source)))


def not_closed(template: str, *, numbers: Iterable[str] = ()) -> set[str]:
    """Return the variables that *template* prints without sanitising.

    Args:
        numbers: Names of variables that are numbers.
    """
    return printed_by(template) - _OWN - set(numbers) - {name for name, _close in message_values.items()}


def marks_in_mail(template: str, *, numbers: Mapping[str, int] | None = None) -> list[str]:
    """Send *template* with hostile text in every variable and return the marks that appear in the mail."""
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
