"""Tokens that are signed: how they are written and read.

Source: RFC 7519, RFC 8725.
"""

import json
import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.utils import timezone
from joserfc.util import urlsafe_b64encode

from auth_core.crypto.secrets import digest
from auth_core.oauth.conf import oauth
from auth_core.oauth.keys.algorithms import ALGORITHMS, Registry
from auth_core.oauth.keys.key_set import PublishedKey, find_key, key_set
from auth_core.oauth_resource.tokens.compact import LONGEST, read_compact

#: Types of tokens. A token of one type is never accepted as another (RFC 8725 section 3.11).
ACCESS = "at+jwt"
ID = "JWT"

#: That of signed userinfo, which clients read with the rules for any JWT. Without ``exp`` it is no ID token for any of them.
USERINFO = "JWT"

#: Writes claims without spaces.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

_WRITERS = {name: Registry(algorithms=[name]) for name in ALGORITHMS}

#: The only members of a header that we write. A ``jwk``, ``jku``, ``x5c`` or ``crit`` is not ours.
_HEADER = frozenset({"alg", "kid", "typ"})


def sign(claims: dict[str, Any], *, algorithm: str, type_: str) -> str:
    """Return *claims* as a token, signed with the current key for *algorithm*.

    Raises:
        KeysUnusable: there is no such key.
    """
    key = key_set().signer(algorithm)
    signed = _header(algorithm, key.kid, type_) + b"." + urlsafe_b64encode(_ENCODER.encode(claims).encode())
    return (signed + b"." + urlsafe_b64encode(_signature(signed, key))).decode()


@lru_cache(maxsize=64)
def _header(algorithm: str, kid: str, type_: str) -> bytes:
    return urlsafe_b64encode(_ENCODER.encode({"alg": algorithm, "kid": kid, "typ": type_}).encode())


def _signature(signed: bytes, key: PublishedKey) -> bytes:
    algorithm = _WRITERS[key.algorithm].get_alg(key.algorithm)
    algorithm.check_key(key.key)
    signature: bytes = algorithm.sign(signed, key.key)
    return signature


def read(text: str, *, type_: str, is_expiry_checked: bool = True) -> dict[str, Any] | None:
    """Return the claims of a token of ours, or ``None`` if it is not valid.

    Args:
        type_: The only type that is accepted.
        is_expiry_checked: False for a hint, which may be old (RP-Initiated Logout section 2).

    Raises:
        KeysUnusable, DatabaseError: the keys cannot be loaded.
    """
    digested = (digest(text), type_) if len(text) <= LONGEST and text.isascii() else None
    kid, verified_by, claims = _VERIFIED.get(digested, _UNKNOWN)
    if verified_by is None or find_key(kid) is not verified_by:
        kid, verified_by, claims = _verified(text, type_)
        if verified_by is None:
            return None
        _remember(digested, (kid, verified_by, claims))
    return dict(claims) if _is_current(claims, is_expiry_checked=is_expiry_checked) else None


#: What `_verified` returned for tokens: the id of the key, the key, and the claims. Without a key the token is not ours.
_Verified = tuple[str, PublishedKey | None, Mapping[str, Any]]

_UNKNOWN: _Verified = ("", None, {})

#: The tokens of which this process has verified the signature, by their digest and type. A client sends the same one for
#: minutes. Only what never changes is remembered: that a key of ours signed this text. Whether the key is still published, the
#: token has expired, or what it rests on still stands is asked each time.
_VERIFIED: dict[tuple[str, str] | None, _Verified] = {}
_MOST_VERIFIED = 1024
_lock = threading.Lock()


def _remember(token: tuple[str, str] | None, verified: _Verified) -> None:
    with _lock:
        if len(_VERIFIED) >= _MOST_VERIFIED:
            del _VERIFIED[next(iter(_VERIFIED))]
        _VERIFIED[token] = verified


def _verified(text: str, type_: str) -> _Verified:
    """Return what a token of ours says, if one of our keys signed it."""
    token = read_compact(text)
    if token is None or not token.header.keys() <= _HEADER or token.type != type_.lower():
        return _UNKNOWN
    kid = token.header.get("kid")
    key = find_key(kid) if isinstance(kid, str) else None
    # The algorithm is that of the key. What the token says only has to agree.
    if key is None or token.algorithm != key.algorithm or not token.is_signed(key.key, key.algorithm):
        return _UNKNOWN
    return key.kid, key, token.claims


def _is_current(claims: Mapping[str, Any], *, is_expiry_checked: bool) -> bool:
    expires_at = claims.get("exp")
    if claims.get("iss") != oauth.issuer or not isinstance(expires_at, int) or isinstance(expires_at, bool):
        return False
    return not is_expiry_checked or expires_at > timezone.now().timestamp()
