"""Removing secrets from text before it leaves the process. Does not use Django.

Secrets are recognised by name (a field called ``password``), by shape (a credential of ours, a JWT) and by value: the
values that this request sent are masked everywhere, including exception messages.

A text is truncated before any pattern runs on it, because a caller chooses the path or header that is logged. The time
of every pattern grows linearly with the text.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

from auth_core.text import Match, Pattern

MASK = "[redacted]"

#: Complete names of fields whose value is never shown.
SECRET_NAMES = frozenset({
    "access_token", "answer", "api_key", "authorization", "client_secret", "code", "cookie", "cookies", "credential",
    "credentials", "csrf_token", "csrfmiddlewaretoken", "current_password", "id_token", "key", "new_password", "otp",
    "passcode", "passwd", "password", "password1", "password2", "private_key", "recovery_code", "refresh_token",
    "secret", "secret_key", "seed", "session_key", "sessionid", "set_cookie", "token",
})  # fmt: skip

#: The longest name that is remembered. No name of a secret is longer.
_LONGEST_NAME = 32

#: Minimum length of a value that is masked. A shorter one would mask half of every line.
SHORTEST_SECRET = 6

#: Maximum length of a logged text, in characters. Longer texts are truncated.
LONGEST = 8192

#: Maximum length of a search text, in characters. A longer secret is searched in chunks.
_LONGEST_SECRET = 2048

#: Maximum length of a text of `LONGEST` characters after masking and escaping.
_LONGEST_MASKED = 8 * LONGEST

_SHAPES = Pattern(
    r"\bea?[a-z]{1,2}_[A-Za-z0-9_-]{20,}"  # ours: eas_, elt_, elb_, …
    r"|\$argon2[a-z]*\$[^\s'\"]+"  # a password's hash
    r"|otpauth://[^\s'\"]+"
    r"|(?<=://)[^/\s:@'\"]*:[^/\s'\"]+(?=@)"  # user and password in a URL; the user may be empty
    r"|(?i:\b(?:bearer|basic|session|dpop)\s+)[A-Za-z0-9._~+/=-]{6,}",
    at_most=_LONGEST_MASKED,
)

#: The run of characters around a JWT. A pattern for the JWT alone would restart at each "eyJ" and read the rest each
#: time.
_RUN = Pattern(r"[A-Za-z0-9_.-]{8,}", at_most=_LONGEST_MASKED)
_JWT_BEGINS = "eyJ"
_JWT_DOTS = 2

_NAMED = Pattern(
    r"(?i)\b("
    + "|".join(sorted(SECRET_NAMES, key=len, reverse=True))
    + r")(['\"]?\s*[=:]\s*['\"]?)([^\s'\",;&)}]{3,})",
    at_most=_LONGEST_MASKED,
)

#: Characters that end a line, move the cursor or change the writing direction. They could forge a log line (ASVS
#: 16.4.1).
_CONTROL = Pattern(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]", at_most=_LONGEST_MASKED
)


#: What each pattern needs to match: one of these in the text, in lower case.
_NEEDED = ("_", "$argon2", "://", ":", "=", "eyj", "bearer", "basic", "session", "dpop")


def redact_text(text: str, secrets: Collection[str] = ()) -> str:
    """Return *text* without secrets, truncated to about `LONGEST` characters.

    Args:
        secrets: Values to mask regardless of their shape. They are masked first, the longest before the others.
    """
    if _is_plain(text, secrets):
        return text
    chunks = sorted(_chunks(secrets), key=len, reverse=True)
    shown = text[:LONGEST]
    for chunk in chunks:
        shown = shown.replace(chunk, MASK)
    is_cut = len(text) > LONGEST
    if is_cut:
        shown = _without_cut_secret(shown, longest=len(chunks[0]) if chunks else 0)
    shown = _RUN.sub(_without_jwt, _SHAPES.sub(MASK, shown))
    shown = _NAMED.sub(lambda match: f"{match[1]}{match[2]}{MASK}", shown)
    return f"{shown}… [cut: {len(text)} characters]" if is_cut else shown


def redact(value: object, secrets: Collection[str] = (), *, name: str = "") -> Any:
    """Return *value* without secrets. A value with the name of a secret is masked completely."""
    if _is_secret_name(name):
        return MASK
    if isinstance(value, str):
        return redact_text(value, secrets)
    if isinstance(value, Mapping):
        return {str(key): redact(nested, secrets, name=str(key)) for key, nested in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(nested, secrets) for nested in value]
    return value if isinstance(value, int | float | None) else redact_text(str(value), secrets)


def _is_secret_name(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and _is_listed(name)


@lru_cache(maxsize=512)
def _is_listed(name: str) -> bool:
    return name.lower().replace("-", "_") in SECRET_NAMES


def one_line(text: str) -> str:
    """Return *text* with its control characters escaped."""
    if len(text) <= LONGEST and text.isprintable():
        # None of those characters is printable.
        return text
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text).replace("\n", "\\n")


def _is_plain(text: str, secrets: Collection[str]) -> bool:
    """Tell whether no pattern and no secret can match *text*. Most logged values are ids, names of routes and numbers."""
    if len(text) > LONGEST or not text.isascii():
        return False
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET and (secret in text or len(secret) > _LONGEST_SECRET):
            return False
    lower = text.lower()
    for part in _NEEDED:  # noqa: SIM110 - each log line asks ten times, and a generator costs more than the search
        if part in lower:
            return False
    return True


def _chunks(secrets: Collection[str]) -> Iterator[str]:
    """Yield the texts to search for: each value, split into chunks if it is very long."""
    for value in secrets:
        for start in range(0, len(value), _LONGEST_SECRET):
            chunk = value[start : start + _LONGEST_SECRET]
            if len(chunk) >= SHORTEST_SECRET:
                yield chunk


def _without_cut_secret(text: str, *, longest: int) -> str:
    """Remove a partial secret from the end of *text*, which was truncated.

    A part of a secret is not recognised by its shape. A part of a known value lies in the last *longest* characters, or
    twice as many, because a mask is longer than the shortest secret. A part of any other secret contains neither spaces
    nor quotation marks.

    Args:
        longest: The length of the longest known value.
    """
    text = text[: max(0, len(text) - 2 * longest)]
    return text[: max(text.rfind(mark) for mark in " \t\n\r'\"") + 1]


def _without_jwt(match: Match) -> str:
    run = match[0]
    begin = run.find(_JWT_BEGINS)
    return run if begin < 0 or run.count(".", begin) < _JWT_DOTS else run[:begin] + MASK
