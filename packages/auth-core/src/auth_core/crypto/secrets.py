"""One-time secrets: how they are made, stored and spent."""

import hashlib
import hmac
import secrets
from typing import Any

from django.db.models import QuerySet
from django.utils.crypto import salted_hmac


def new_secret(prefix: str) -> str:
    """Return a random secret of 256 bits: *prefix*, ``_`` and 43 characters (ASVS 7.2.3, 11.5.1).

    Args:
        prefix: Names the kind of secret, for us and for scanners that look for leaked secrets.
    """
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def new_code(digits: int = 6) -> str:
    """Return a random code of *digits* decimal digits for a person to type."""
    return "".join(secrets.choice("0123456789") for _digit in range(digits))


def digest(secret: str) -> str:
    """Return the stored form of a secret of 256 bits: SHA-256, in hex.

    It has no salt and no stretching, because 256 bits cannot be guessed (ASVS 6.5.2 requires them below 112 bits).
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def code_digest(code: str, *, context: str) -> str:
    """Return the stored form of a short code: HMAC-SHA-256 under a key of the site, in hex.

    A million codes can be hashed in a second, so a plain digest would reveal the code. Without the key the stored value
    reveals nothing.

    Args:
        context: What the code belongs to, such as a row's id. The same code has another digest elsewhere.
    """
    return salted_hmac(f"auth_core.one_time.{context}", code, algorithm="sha256").hexdigest()


def same(first: str, second: str) -> bool:
    """Compare two values in constant time (ASVS 11.2.4)."""
    return hmac.compare_digest(first.encode(), second.encode())


def spend(unspent: "QuerySet[Any]", **spent: Any) -> bool:
    """Spend a one-time thing. Return whether this call spent it.

    It is one conditional statement, and its row count decides. Of fifty requests at once the database lets one change
    the row, and for the others no row matches. A check before the write would let all of them through.

    Args:
        unspent: The row, *filtered by being unspent*.
        spent: The values that mark it as spent.
    """
    return unspent.update(**spent) == 1
