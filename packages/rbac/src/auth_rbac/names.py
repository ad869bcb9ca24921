"""Names of roles: what two spellings of one have in common, and which could be mistaken for another's.

Source: UTS 39 section 5.1 (mixed-script detection), in its simplest form.
"""

import unicodedata

MAX_LENGTH = 100

#: Categories that cannot be seen, or that change how what follows is read.
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class InvalidName(ValueError):
    """A text cannot be the name of a role; `code` is a closed word that says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def key_of(name: str) -> str:
    """Return what two spellings of one name have in common: NFKC, case folded, single spaces.

    Raises:
        InvalidName: empty, too long, with characters that cannot be seen, or of letters of
            several scripts: one Cyrillic letter in ``admin`` makes another role that reads the same.
    """
    if len(name) > MAX_LENGTH:
        raise InvalidName("too_long")
    if any(unicodedata.category(letter) in _REFUSED for letter in name):
        raise InvalidName("forbidden_character")
    key = " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).split())
    if not key or len(key) > MAX_LENGTH:
        raise InvalidName("empty" if not key else "too_long")
    if len({_script_of(letter) for letter in key if letter.isalpha()}) > 1:
        raise InvalidName("mixed_scripts")
    return key


def _script_of(letter: str) -> str:
    """Return the script that Unicode's name of *letter* begins with, such as ``LATIN``."""
    return unicodedata.name(letter, "UNKNOWN").partition(" ")[0]
