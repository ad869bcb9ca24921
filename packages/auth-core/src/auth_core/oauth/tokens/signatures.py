"""Tokens that are signed: how they are written and read.

Source: RFC 7519, RFC 8725.
"""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from joserfc.errors import JoseError
from joserfc.jws import extract_compact
from joserfc.jwt import decode, encode

from auth_core.oauth.conf import oauth
from auth_core.oauth.keys.algorithms import ALGORITHMS, Registry
from auth_core.oauth.keys.key_set import find_key, key_set

#: Types of tokens. A token of one type is never accepted as another (RFC 8725 section 3.11).
ACCESS = "at+jwt"
ID = "JWT"

#: The longest token that is read, in characters. Ours have about 1,200.
LONGEST = 8192

_WRITERS = {name: Registry(algorithms=[name]) for name in ALGORITHMS}

#: The only members of a header that we write. A ``jwk``, ``jku``, ``x5c`` or ``crit`` is not ours.
_HEADER = frozenset({"alg", "kid", "typ"})


def sign(claims: dict[str, Any], *, algorithm: str, type_: str) -> str:
    """Return *claims* as a token, signed with the current key for *algorithm*.

    Raises:
        KeysUnusable: there is no such key.
    """
    key = key_set().signer(algorithm)
    header = {"alg": algorithm, "kid": key.kid, "typ": type_}
    return encode(header, claims, key.key, registry=_WRITERS[algorithm], default_type=None)


def read(token: str, *, type_: str, is_expiry_checked: bool = True) -> dict[str, Any] | None:
    """Return the claims of a token of ours, or ``None`` if it is not valid.

    Args:
        type_: The only type that is accepted.
        is_expiry_checked: False for a hint, which may be old (RP-Initiated Logout section 2).

    Raises:
        KeysUnusable, DatabaseError: the keys cannot be loaded.
    """
    header = _header_of(token)
    if header is None or not header.keys() <= _HEADER or str(header.get("typ", "")).lower() != type_.lower():
        return None
    kid = header.get("kid")
    key = find_key(kid) if isinstance(kid, str) else None
    # The algorithm is that of the key. What the token says only has to agree.
    if key is None or header.get("alg") != key.algorithm:
        return None
    try:
        claims = decode(token, key.key, registry=_WRITERS[key.algorithm]).claims
    except (JoseError, ValueError):
        return None
    return claims if _is_current(claims, is_expiry_checked=is_expiry_checked) else None


def _header_of(token: str) -> Mapping[str, Any] | None:
    """Return the header, unverified. ``None`` if the text is no compact token."""
    if len(token) > LONGEST or not token.isascii() or token.count(".") != 2:  # noqa: PLR2004 - header, payload, signature
        return None
    try:
        return extract_compact(token.encode()).protected
    except (JoseError, ValueError):
        return None


def _is_current(claims: Mapping[str, Any], *, is_expiry_checked: bool) -> bool:
    expires_at = claims.get("exp")
    if claims.get("iss") != oauth.issuer or not isinstance(expires_at, int) or isinstance(expires_at, bool):
        return False
    return not is_expiry_checked or expires_at > timezone.now().timestamp()
