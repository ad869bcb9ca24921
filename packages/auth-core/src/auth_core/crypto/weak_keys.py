"""Keys that somebody could guess; knows no Django.

32 random bytes have 30 different values on average, and fewer than 20 once in a
billion keys. A key that somebody typed, counted or repeated has less, and is found in
lists of such keys.
"""

import base64
import binascii
from collections.abc import Sequence
from itertools import pairwise

#: How to make a good one, for a shell.
RECIPE = (
    'python -c "import base64, secrets; '
    "print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip('='))\""
)

#: Fewest different values, and fewest different steps between neighbours, in 32 bytes.
_VARIETY = 16

#: Least number of different pairs of neighbours in a text of 50 characters or more.
_PAIRS = 30

_PRINTABLE = range(0x20, 0x7F)


def weakness_of(encoded: str, *, secrets: Sequence[str] = ()) -> str:
    """Return why a key of 32 bytes in base64url is weak; empty: it is not, or is no such key.

    Args:
        secrets: Other secrets of the site, such as ``SECRET_KEY``: none may serve as a key too.
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
    """Say whether *text* has the variety of a random text: neither a few characters nor a word again and again."""
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
