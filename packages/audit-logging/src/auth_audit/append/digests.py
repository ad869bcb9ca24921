"""What was typed and belongs to nobody: often it is a password, so only a digest is kept, under a key of the day.

Whoever guesses at the same name a hundred times in a day is seen; the next day the same
name looks like another, and nobody without the field key can try names out.
"""

import hmac
import unicodedata
from functools import lru_cache
from hashlib import sha256

from django.utils import timezone

from auth_core.conf import core
from auth_core.crypto.encryption import current_key_id, derive_key

_PURPOSE = "auth_audit.identifier"

#: Longest identifier that is folded as lookups fold it, in characters. Nothing longer is looked up.
_LONGEST = 320

#: Of the digest, in hex: 96 bits do not collide within a day.
_LENGTH = 24


def digest_of_today(typed: str) -> str:
    """Return ``<day>.<digest>`` of an identifier that nobody has.

    Raises:
        KeysMissing: there is no field key.
    """
    day = timezone.now().strftime("%Y-%m-%d")
    folded = typed if len(typed) > _LONGEST else unicodedata.normalize("NFKC", typed).casefold().strip()
    key = _key_of(day, core.FIELD_KEYS[current_key_id()])
    return f"{day}.{hmac.new(key, folded.encode(errors='replace'), sha256).hexdigest()[:_LENGTH]}"


@lru_cache(maxsize=4)
def _key_of(day: str, encoded: str) -> bytes:
    return derive_key(f"{_PURPOSE}.{day}", encoded)
