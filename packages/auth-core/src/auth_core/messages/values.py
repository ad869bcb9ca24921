"""Values that may appear in a mail or a text: numbers, moments, and text of a closed kind.

People trust an official mail. Text that a stranger can choose (a user agent, a name, a host, a reason) would look as if
the site had written it. A template therefore gets text only under a name that is registered here, with the function
that sanitises it (decision record 0028).
"""

import ipaddress
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _

from auth_core.assurance.methods import Method
from auth_core.registries import Registry
from auth_core.request.user_agents import closed_name
from auth_core.text import Pattern

#: Name of a value -> function that returns the part that may be shown.
message_values: Registry[Callable[[str], str]] = Registry("Message value")

#: Maximum length of a person's name in a mail, in characters.
_LONGEST_NAME = 60

#: Number of characters of a name that are read.
_LONGEST_TEXT = 256

_CODE = Pattern(r"[A-Za-z0-9-]+", at_most=32)
_LINK = Pattern(r"https?://[!-~]+", at_most=2008)

#: Number of characters of a username that a mail shows.
_SHOWN_OF_USERNAME = 4

#: A dot between two letters could form a host name.
_DOT_INSIDE = Pattern(r"\.(?=\S)", at_most=_LONGEST_TEXT)


def closed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return *values* sanitised for a template. Every registered name is present, if only empty."""
    shown = {name: _closed(name, value) for name, value in values.items()}
    return {**{name: "" for name, _close in message_values.items()}, **shown}


def usable_language(preferred: str) -> str:
    """Return *preferred* if there are translations for it, else the site's language."""
    try:
        return translation.get_supported_language_variant(preferred)
    except LookupError:
        return translation.get_language() or "en"


def person_name(text: str) -> str:
    """Return a name for a mail: letters, spaces, hyphens, apostrophes, and dots after initials.

    The result cannot contain a link, an address or a telephone number, or a character that changes the text direction.
    """
    letters = (letter if _is_allowed_in_names(letter) else " " for letter in text[:_LONGEST_TEXT])
    words = _DOT_INSIDE.sub(" ", "".join(letters)).split()
    return " ".join(words)[:_LONGEST_NAME].strip()


def username_beginning(text: str) -> str:
    """Return the beginning of a username for a mail: enough for its owner, and too little for a message of a stranger."""
    beginning = "".join(letter for letter in text[:_SHOWN_OF_USERNAME] if letter.isascii() and letter.isalnum())
    return f"{beginning}…" if beginning else ""


def method_name(text: str) -> str:
    """Return the name of a second factor in mails."""
    names = {
        Method.TOTP: _("authenticator app"),
        Method.SMS_CODE: _("text messages"),
        Method.EMAIL_CODE: _("codes by email"),
        Method.PASSKEY: _("passkey"),
        Method.SECURITY_KEY: _("security key"),
        Method.RECOVERY_CODE: _("recovery codes"),
    }
    return next((name for method, name in names.items() if method.value == text), "")


def _closed(name: str, value: object) -> Any:
    if value is None or isinstance(value, int | float | datetime | UUID):
        return value
    close = message_values.get(name)
    return close(value) if close is not None and isinstance(value, str) else ""


def _is_allowed_in_names(letter: str) -> bool:
    return letter in " -.'\u2019" or unicodedata.category(letter)[0] in "LM"


def _ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return ""


def _matching(pattern: Pattern) -> Callable[[str], str]:
    return lambda text: text if pattern.fullmatch(text) else ""


def _device(text: str) -> str:
    return ", ".join(filter(None, map(closed_name, text.split(", "))))


def _register(entries: Iterable[tuple[str, Callable[[str], str]]]) -> None:
    for name, close in entries:
        message_values.register(name, close)


_register(
    (
        ("link", _matching(_LINK)),
        ("code", _matching(_CODE)),
        ("ip", _ip),
        ("device", _device),
        ("method", method_name),
        ("inviter", person_name),
        ("account", username_beginning),
    )
)
