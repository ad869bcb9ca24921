"""The code that a person reads on a device and types in a browser.

Source: RFC 8628 section 6.1.
"""

import secrets

from auth_core.crypto.secrets import code_digest
from auth_core.text import Pattern

#: Consonants without those that look like another letter or a digit. No word can be formed. 20 to the power of 8 codes.
_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
_LENGTH, _GROUP = 8, 4

_CODE = Pattern(rf"[{_ALPHABET}]{{{_LENGTH}}}", at_most=_LENGTH)

#: The longest text that is read, in characters: a code with signs between its letters.
LONGEST = 32


def new_user_code() -> str:
    """Return a new code, without its hyphen."""
    return "".join(secrets.choice(_ALPHABET) for _letter in range(_LENGTH))


def for_people(code: str) -> str:
    """Return a code as people read it, such as ``WDJB-MJHT``."""
    return f"{code[:_GROUP]}-{code[_GROUP:]}"


def typed_code(text: str) -> str:
    """Return the code that a person typed, in any case and with any signs between its letters. Empty if it is none."""
    letters = "".join(filter(str.isalnum, text[:LONGEST])).upper()
    return letters if len(text) <= LONGEST and _CODE.fullmatch(letters) else ""


def user_code_digest(code: str) -> str:
    """Return the stored form of a code. It is short, so the digest needs the key of the site."""
    return code_digest(code, context="oauth_device")
