"""The format and the digest of recovery codes, without users.

Source: NIST SP 800-63B-4 sections 3.1.2 and 4.2.1.1; ASVS 6.5.1-6.5.4.
"""

import secrets
from collections.abc import Mapping

from argon2.low_level import Type, hash_secret_raw

from auth_core.conf import core
from auth_core.passwords.hash_slots import hash_slot

#: The number of codes on a sheet.
CODES = 10

#: Number of codes left at which the owner is warned.
FEW = 3

#: Crockford's Base32: no I, L, O and U, which are easily misread or form words.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans("OIL", "011")

#: Sixteen characters of five bits give 80 bits. SP 800-63B-4 requires 64.
_LENGTH = 16
_GROUP = 4

_DIGEST_BYTES = 32


def new_code() -> str:
    """Return a code as it is printed, in groups of four."""
    code = "".join(secrets.choice(_ALPHABET) for _character in range(_LENGTH))
    return "-".join(code[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def read_code(text: str) -> str | None:
    """Return *text* without groups, case and look-alikes, or ``None`` if it is not a code."""
    if len(text) > 3 * _LENGTH or not text.isascii():
        return None
    code = text.upper().replace("-", "").replace(" ", "").translate(_READ_AS)
    return code if len(code) == _LENGTH and set(code) <= set(_ALPHABET) else None


def new_salt() -> str:
    """Return 128 random bits, in hex."""
    return secrets.token_hex(16)


def cost() -> dict[str, int]:
    """Return the current argon2id parameters, in the form that a sheet stores."""
    return {
        "time_cost": core.PASSWORD_TIME_COST,
        "memory_cost": core.PASSWORD_MEMORY_COST,
        "parallelism": core.PASSWORD_PARALLELISM,
    }


def digest_of(code: str, *, salt: str, cost: Mapping[str, int]) -> str:
    """Return the argon2id digest of a code, in hex.

    A plain digest would need 112 bits of entropy, and a code has 80 (ASVS 6.5.2).

    Args:
        code: A code from `read_code`.
        salt: The salt of the sheet, in hex.
        cost: The argon2id parameters of the sheet, with the memory in KiB.

    Raises:
        Unavailable: too many hashes are computed at this moment (`auth_core.passwords.hash_slots`).
    """
    with hash_slot():
        return hash_secret_raw(code.encode(), bytes.fromhex(salt), hash_len=_DIGEST_BYTES, type=Type.ID, **cost).hex()
