"""Detection of keys that can be guessed. Does not use Django.

32 random bytes have 30 different values on average. Fewer than 20 occur once in a billion keys. A key that a person
typed, counted or repeated has fewer, and appears in lists of such keys.
"""

import base64
import binascii
from collections.abc import Sequence
from itertools import pairwise

#: A shell command that makes a strong key.
RECIPE = (
    'python -c "import base64, secrets; '
    "print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip('='))\""
)

#: Minimum number of different values in 32 bytes, and of different steps between neighbours.
_VARIETY = 16

#: Minimum number of different neighbouring pairs in a text of 50 characters or more.
_PAIRS = 30

_PRINTABLE = range(0x20, 0x7F)


def weakness_of(encoded: str, *, secrets: Sequence[str] = ()) -> str:
    """Return why a key of 32 bytes in base64url is weak. Empty if it is not weak or not such a key.

    Args:
        secrets: Other secrets of the site, such as ``SECRET_KEY``. None of them may be reused as a key.
    """
    key = _decoded(encoded)
    if _is_one_of(encoded, key, secrets):
        return "another secret of this site"
    if len(set(key)) < _VARIETY or key[: len(key) // 2] == key[len(key) // 2 :]:
        return "repetitive"
    if len({(after - before) % 256 for before, after in pairwise(key)}) < _VARIETY:
        return "a sequence"
    if all(byte in _PRINTABLE for byte in key):
        return "text, not random bytes"
    return ""


def is_varied(text: str) -> bool:
    """Return whether *text* varies like random text, not like a few characters or a repeated word."""
    return len(set(pairwise(text))) >= _PAIRS


def _is_one_of(encoded: str, key: bytes, secrets: Sequence[str]) -> bool:
    bare = encoded.rstrip("=")
    return any(
        bare == secret.rstrip("=") or key in (secret.encode()[: len(key)], _decoded(secret)) for secret in secrets
    )


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_")
    except (binascii.Error, ValueError):
        return b""
