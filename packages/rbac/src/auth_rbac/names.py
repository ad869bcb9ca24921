"""Names of roles: a key that all spellings of a name share, and the names that are refused as confusable.

Source: UTS 39 section 5.1 (mixed-script detection), in its simplest form.
"""

import unicodedata

MAX_LENGTH = 100

#: Categories of characters that are invisible, or that change how the following text is displayed.
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class InvalidName(ValueError):
    """A text that cannot be the name of a role. `code` is one of a few fixed words that say why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def key_of(name: str) -> str:
    """Return the key that all spellings of a name share: NFKC, case folded, single spaces.

    Raises:
        InvalidName: it is empty, too long, has invisible characters, or mixes the letters of several scripts. One
            Cyrillic letter in ``admin`` would make another role that looks the same.
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
    """Return the script of *letter*, such as ``LATIN``: the first word of its Unicode name."""
    return unicodedata.name(letter, "UNKNOWN").partition(" ")[0]
