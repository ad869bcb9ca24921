"""Tokens that are signed: how they are written and read.

Source: RFC 7519, RFC 8725.
"""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from joserfc.jwt import encode

from auth_core.oauth.conf import oauth
from auth_core.oauth.keys.algorithms import ALGORITHMS, Registry
from auth_core.oauth.keys.key_set import find_key, key_set
from auth_core.oauth_resource.tokens.compact import read_compact

#: Types of tokens. A token of one type is never accepted as another (RFC 8725 section 3.11).
ACCESS = "at+jwt"
ID = "JWT"
USERINFO = "userinfo+jwt"

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


def read(text: str, *, type_: str, is_expiry_checked: bool = True) -> dict[str, Any] | None:
    """Return the claims of a token of ours, or ``None`` if it is not valid.

    Args:
        type_: The only type that is accepted.
        is_expiry_checked: False for a hint, which may be old (RP-Initiated Logout section 2).

    Raises:
        KeysUnusable, DatabaseError: the keys cannot be loaded.
    """
    token = read_compact(text)
    if token is None or not token.header.keys() <= _HEADER or token.type != type_.lower():
        return None
    kid = token.header.get("kid")
    key = find_key(kid) if isinstance(kid, str) else None
    # The algorithm is that of the key. What the token says only has to agree.
    if key is None or token.algorithm != key.algorithm or not token.is_signed(key.key, key.algorithm):
        return None
    return token.claims if _is_current(token.claims, is_expiry_checked=is_expiry_checked) else None


def _is_current(claims: Mapping[str, Any], *, is_expiry_checked: bool) -> bool:
    expires_at = claims.get("exp")
    if claims.get("iss") != oauth.issuer or not isinstance(expires_at, int) or isinstance(expires_at, bool):
        return False
    return not is_expiry_checked or expires_at > timezone.now().timestamp()
