"""Recovery codes: how they look and what is kept of them; knows no users.

Source: NIST SP 800-63B-4 sections 3.1.2 and 4.2.1.1; ASVS 6.5.1-6.5.4.
"""

import secrets
from collections.abc import Mapping

from argon2.low_level import Type, hash_secret_raw

from auth_core.conf import core
from auth_core.passwords.hash_slots import hash_slot

#: How many stand on a sheet.
CODES = 10

#: From so many on their owner is told that they are running out.
FEW = 3

#: Crockford's Base32: no I, L, O and U, which are read wrong or make words.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans("OIL", "011")

#: Sixteen characters of five bits are 80; SP 800-63B-4 asks for 64 at least.
_LENGTH = 16
_GROUP = 4

_DIGEST_BYTES = 32


def new_code() -> str:
    """Return a code as it is printed, in groups of four."""
    code = "".join(secrets.choice(_ALPHABET) for _character in range(_LENGTH))
    return "-".join(code[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def read_code(text: str) -> str | None:
    """Return what somebody typed without groups, case and look-alikes; ``None``: it is no code at all."""
    if len(text) > 3 * _LENGTH or not text.isascii():
        return None
    code = text.upper().replace("-", "").replace(" ", "").translate(_READ_AS)
    return code if len(code) == _LENGTH and set(code) <= set(_ALPHABET) else None


def new_salt() -> str:
    """Return 128 random bits, in hex."""
    return secrets.token_hex(16)


def cost() -> dict[str, int]:
    """Return the argon2id parameters of today, as a sheet keeps them."""
    return {
        "time_cost": core.PASSWORD_TIME_COST,
        "memory_cost": core.PASSWORD_MEMORY_COST,
        "parallelism": core.PASSWORD_PARALLELISM,
    }


def digest_of(code: str, *, salt: str, cost: Mapping[str, int]) -> str:
    """Return what is kept of a code: argon2id, in hex.

    With 80 bits a code is below the 112 from which a plain digest would do (ASVS 6.5.2).

    Args:
        code: As `read_code` returns it.
        salt: The sheet's, in hex.
        cost: The sheet's; memory in KiB.

    Raises:
        Unavailable: too much is hashed at this moment (`auth_core.passwords.hash_slots`).
    """
    with hash_slot():
        return hash_secret_raw(code.encode(), bytes.fromhex(salt), hash_len=_DIGEST_BYTES, type=Type.ID, **cost).hex()
