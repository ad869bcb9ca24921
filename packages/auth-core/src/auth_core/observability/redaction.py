"""Taking secrets out of text, before it leaves the process; knows no Django.

By name (a field called ``password``), by shape (a credential of ours, a JWT), and by
value: what this request came with is masked wherever it turns up, in an exception's
message as well.

A text is cut before any pattern is run over it, because a caller chooses what is logged
of a path or a header. Every pattern takes time that grows in step with the text.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from auth_core.text import Match, Pattern

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

#: The longest text that is written, in characters; what is longer is cut.
LONGEST = 8192

#: The longest secret that is looked for in one piece, in characters; a longer one is looked for piece by piece.
_LONGEST_SECRET = 2048

#: A text of `LONGEST` characters is no longer than this once masks and escapes stand in it.
_LONGEST_MASKED = 8 * LONGEST

_SHAPES = Pattern(
    r"\bea?[a-z]{1,2}_[A-Za-z0-9_-]{20,}"  # ours: eas_, elt_, elb_, …
    r"|\$argon2[a-z]*\$[^\s'\"]+"  # a password's hash
    r"|otpauth://[^\s'\"]+"
    r"|(?<=://)[^/\s:@'\"]*:[^/\s'\"]+(?=@)"  # user and password in a URL; the user may be empty
    r"|(?i:\b(?:bearer|basic|session|dpop)\s+)[A-Za-z0-9._~+/=-]{6,}",
    at_most=_LONGEST_MASKED,
)

#: What a JWT is part of. A pattern for the JWT alone would begin again at each "eyJ", and read the rest each time.
_RUN = Pattern(r"[A-Za-z0-9_.-]{8,}", at_most=_LONGEST_MASKED)
_JWT_BEGINS = "eyJ"
_JWT_DOTS = 2

_NAMED = Pattern(
    r"(?i)\b("
    + "|".join(sorted(SECRET_NAMES, key=len, reverse=True))
    + r")(['\"]?\s*[=:]\s*['\"]?)([^\s'\",;&)}]{3,})",
    at_most=_LONGEST_MASKED,
)

#: What ends a line, moves a cursor or turns the direction of writing: it could forge a line (ASVS 16.4.1).
_CONTROL = Pattern(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]", at_most=_LONGEST_MASKED
)


def redact_text(text: str, known: Collection[str] = ()) -> str:
    """Return *text* without secrets, cut to about `LONGEST` characters.

    Args:
        known: Values that are secret whatever they look like; masked first, the longest before the others.
    """
    pieces = sorted(_pieces(known), key=len, reverse=True)
    shown = text[:LONGEST]
    for piece in pieces:
        shown = shown.replace(piece, MASK)
    cut = len(text) > LONGEST
    if cut:
        shown = _without_cut_secret(shown, longest=len(pieces[0]) if pieces else 0)
    shown = _RUN.sub(_without_jwt, _SHAPES.sub(MASK, shown))
    shown = _NAMED.sub(lambda found: f"{found[1]}{found[2]}{MASK}", shown)
    return f"{shown}… [cut: {len(text)} characters]" if cut else shown


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


def _pieces(known: Collection[str]) -> Iterator[str]:
    """Yield what to look for: each value, a very long one in pieces."""
    for value in known:
        for start in range(0, len(value), _LONGEST_SECRET):
            piece = value[start : start + _LONGEST_SECRET]
            if len(piece) >= SHORTEST_SECRET:
                yield piece


def _without_cut_secret(text: str, *, longest: int) -> str:
    """Return *text*, which was cut, without the part of a secret that may stand at its end.

    A part is not recognised. Of a known value it lies in the last *longest* characters,
    or twice as many, because a mask is longer than the shortest secret. Of every
    other secret it has neither spaces nor quotation marks in it.

    Args:
        longest: The length of the longest known value.
    """
    text = text[: max(0, len(text) - 2 * longest)]
    return text[: max(text.rfind(mark) for mark in " \t\n\r'\"") + 1]


def _without_jwt(found: Match) -> str:
    run = found[0]
    begin = run.find(_JWT_BEGINS)
    return run if begin < 0 or run.count(".", begin) < _JWT_DOTS else run[:begin] + MASK
