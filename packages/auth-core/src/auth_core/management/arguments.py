"""Types of the arguments of commands, for ``add_argument(type=…)``."""

from argparse import ArgumentTypeError

from auth_core.text import Pattern

#: A valid reason for the trail: one word, so that it holds nothing personal.
_REASON = Pattern(r"[a-z][a-z0-9_]{0,31}", at_most=32)


def positive(text: str) -> int:
    """Return a number of at least 1.

    Raises:
        ArgumentTypeError: *text* is no such number.
    """
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError("must be a positive integer")
    return int(text)


def reason(text: str) -> str:
    """Return the reason of a change for the audit trail.

    Raises:
        ArgumentTypeError: *text* is not one short word.
    """
    if not _REASON.fullmatch(text):
        raise ArgumentTypeError("must be one word of at most 32 lower-case letters, digits and underscores")
    return text
