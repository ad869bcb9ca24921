"""Taking secrets out of text, before it leaves the process; knows no Django.

By name (a field called ``password``), by shape (a credential of ours, a JWT), and by
value: what this request came with is masked wherever it turns up, in an exception's
message as well.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

MASK = "[redacted]"

#: Whole names of fields whose value is never shown.
SECRET_NAMES = frozenset({
    "access_token", "answer", "api_key", "authorization", "client_secret", "code", "cookie", "cookies", "credential",
    "credentials", "csrf_token", "csrfmiddlewaretoken", "current_password", "id_token", "key", "new_password", "otp",
    "passcode", "passwd", "password", "password1", "password2", "private_key", "recovery_code", "refresh_token",
    "secret", "secret_key", "seed", "session_key", "sessionid", "set_cookie", "token",
})  # fmt: skip

#: A value shorter than this would mask half of every line.
SHORTEST_SECRET = 6

_SHAPES = re.compile(
    r"\bea?[a-z]{1,2}_[A-Za-z0-9_-]{20,}"  # ours: eas_, elt_, elb_, …
    r"|\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"  # a JWT
    r"|\$argon2[a-z]*\$[^\s'\"]+"  # a password's hash
    r"|otpauth://[^\s'\"]+"
    r"|(?<=://)[^/\s:@'\"]+:[^/\s@'\"]+(?=@)"  # user and password in a URL
    r"|(?i:\b(?:bearer|basic|session|dpop)\s+)[A-Za-z0-9._~+/=-]{6,}",
)

_NAMED = re.compile(
    r"(?i)\b(" + "|".join(sorted(SECRET_NAMES, key=len, reverse=True)) + r")(['\"]?\s*[=:]\s*['\"]?)([^\s'\",;&)}]{3,})"
)

#: What ends a line, moves a cursor or turns the direction of writing: it could forge a line (ASVS 16.4.1).
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def redact_text(text: str, known: Collection[str] = ()) -> str:
    """Return *text* without secrets.

    Args:
        known: Values that are secret whatever they look like; masked first, the longest before the others.
    """
    for value in sorted(known, key=len, reverse=True):
        if len(value) >= SHORTEST_SECRET:
            text = text.replace(value, MASK)
    text = _SHAPES.sub(MASK, text)
    return _NAMED.sub(lambda found: f"{found[1]}{found[2]}{MASK}", text)


def redact(value: Any, known: Collection[str] = (), *, name: str = "") -> Any:
    """Return *value* without secrets; what is called by a secret's name is masked whole."""
    if name.lower().replace("-", "_") in SECRET_NAMES:
        return MASK
    if isinstance(value, str):
        return redact_text(value, known)
    if isinstance(value, Mapping):
        return {str(key): redact(nested, known, name=str(key)) for key, nested in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(nested, known) for nested in value]
    return value if isinstance(value, int | float | None) else redact_text(str(value), known)


def one_line(text: str) -> str:
    """Return *text* with its control characters shown instead of obeyed."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text).replace("\n", "\\n")
