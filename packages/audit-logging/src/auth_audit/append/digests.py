"""Digests of identifiers that belong to no account.

What was typed is often a password, so only a digest is stored, under a key of the day. Many guesses at the same
name are visible on one day. The next day the same name has another digest, and without the field key a guessed
name cannot be checked.
"""

import hmac
import unicodedata
from functools import lru_cache
from hashlib import sha256

from django.utils import timezone

from auth_core.conf import core
from auth_core.crypto.encryption import current_key_id, derive_key

_PURPOSE = "auth_audit.identifier"

#: Maximum length of an identifier that is folded as in lookups, in characters. Longer ones match no account.
_LONGEST = 320

#: Length of the digest in hex digits. 96 bits do not collide within a day.
_LENGTH = 24


def digest_of_today(typed: str) -> str:
    """Return ``<day>.<digest>`` of an identifier that belongs to no account.

    Raises:
        KeysMissing: There is no field key.
    """
    day = timezone.now().strftime("%Y-%m-%d")
    folded = typed if len(typed) > _LONGEST else unicodedata.normalize("NFKC", typed).casefold().strip()
    key = _key_of(day, core.FIELD_KEYS[current_key_id()])
    return f"{day}.{hmac.new(key, folded.encode(errors='replace'), sha256).hexdigest()[:_LENGTH]}"


@lru_cache(maxsize=4)
def _key_of(day: str, encoded: str) -> bytes:
    return derive_key(f"{_PURPOSE}.{day}", encoded)
