"""How long the headers of an answer allow to use it (RFC 9111 section 4.2)."""

from collections.abc import Mapping
from datetime import timedelta

from auth_core.text import Pattern

_MAX_AGE = Pattern(r"max-age[ ]?=[ ]?\"?([0-9]{1,10})\"?", at_most=64)
_SECONDS = Pattern(r"[0-9]{1,10}", at_most=10)

#: The longest header that is read, in characters.
_LONGEST = 256


def allowed_lifetime(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long an answer may be used from now on. ``None`` if its headers do not say.

    Args:
        headers: Names in lower case.
    """
    directives = [text.strip().lower() for text in headers.get("cache-control", "")[:_LONGEST].split(",")]
    ages = [int(found[1]) for text in directives if (found := _MAX_AGE.fullmatch(text))]
    if {"no-store", "no-cache"}.intersection(directives):
        ages.append(0)
    age = headers.get("age", "")
    stored = int(age) if _SECONDS.fullmatch(age) else 0
    return timedelta(seconds=max(min(ages) - stored, 0)) if ages else None
