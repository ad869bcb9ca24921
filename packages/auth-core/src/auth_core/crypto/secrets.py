"""Secrets that are handed out, what is kept of them, and how a one-time thing is spent."""

import hashlib
import hmac
import secrets
from typing import Any

from django.db.models import QuerySet
from django.utils.crypto import salted_hmac


def new_secret(prefix: str) -> str:
    """Return a secret of 256 bits from the system's generator: *prefix*, ``_`` and 43 characters (ASVS 7.2.3, 11.5.1).

    Args:
        prefix: Tells scanners of leaked secrets, and us, whose secret this is.
    """
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def new_code(digits: int = 6) -> str:
    """Return a code for people to type, of so many decimal digits, from the system's generator."""
    return "".join(secrets.choice("0123456789") for _digit in range(digits))


def digest(secret: str) -> str:
    """Return what is stored of a secret of 256 bits: SHA-256, in hex.

    No salt and no stretching: there is nothing to guess at 256 bits (ASVS 6.5.2 asks
    for them below 112).
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def code_digest(code: str, *, context: str) -> str:
    """Return what is stored of a short code: HMAC-SHA-256 under a key of ours, in hex.

    A million codes are hashed in a second, so that a plain digest would be as good as
    the code; without our key the stored value tells nothing.

    Args:
        context: What the code belongs to, such as a row's id; the same code differs elsewhere.
    """
    return salted_hmac(f"auth_core.one_time.{context}", code, algorithm="sha256").hexdigest()


def same(first: str, second: str) -> bool:
    """Compare in a time that does not tell where two values differ (ASVS 11.2.4)."""
    return hmac.compare_digest(first.encode(), second.encode())


def spend(unspent: "QuerySet[Any]", **spent: Any) -> bool:
    """Spend a one-time thing; say whether this caller was the one who did.

    One conditional statement, whose row count decides: of fifty requests at once the
    database lets one change the row, and for the others it matches no more. To look
    first and write afterwards would let all of them through.

    Args:
        unspent: The row, *filtered by being unspent*.
        spent: What makes it spent.
    """
    return unspent.update(**spent) == 1
