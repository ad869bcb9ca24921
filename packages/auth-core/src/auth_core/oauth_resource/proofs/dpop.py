"""The DPoP proof: a client signs each request with its key. Does not use Django and asks no database.

Source: RFC 9449 sections 4.2 and 4.3. The caller compares the nonce, and spends `Proof.jti` if it has a store.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from auth_core.crypto.signature_algorithms import STRONG_ALGORITHMS
from auth_core.oauth_resource.keys.public_keys import read_public_key
from auth_core.oauth_resource.tokens.compact import read_compact
from auth_core.oauth_resource.tokens.members import moment_in, text_in

#: The type of a proof. A token of another type is never accepted as one (RFC 8725 section 3.11).
TYPE = "dpop+jwt"

#: What a proof may be signed with.
ALGORITHMS = STRONG_ALGORITHMS

#: How far ahead the clock of a client may be. FAPI 2.0 section 5.3.2.1 asks for 10 seconds, and forbids 60.
AHEAD = timedelta(seconds=30)

_PORTS = {"https": 443, "http": 80}


class InvalidProof(Exception):
    """The proof is not one for this request. The message names the rule, and repeats nothing of the proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof whose signature and claims are right.

    Args:
        thumbprint: Of the key that signed it (RFC 7638).
        jti: Its id, unique for the key.
        issued_at: In Unix seconds.
        nonce: The nonce that it has. Empty: none.
    """

    thumbprint: str
    jti: str
    issued_at: float
    nonce: str = ""


def read_proof(text: str, *, method: str, address: str, now: float, age: timedelta, access_token: str = "") -> Proof:
    """Return the proof in a ``DPoP`` header.

    Args:
        text: The header. Two headers are joined by a comma, which no proof has.
        method: The method of the request.
        address: The address of the request, as clients know it.
        now: In Unix seconds.
        age: How old a proof may be.
        access_token: The token that the request presents. Empty at the endpoints that issue tokens.

    Raises:
        InvalidProof: it breaks a rule of section 4.3.
    """
    token = read_compact(text)
    if token is None or token.type != TYPE:
        raise InvalidProof("Send one DPoP header with one proof of the type dpop+jwt.")
    if token.algorithm not in ALGORITHMS:
        raise InvalidProof("The algorithm of the proof is not supported.")
    key = read_public_key(token.header.get("jwk"))
    if key is None:
        raise InvalidProof("The proof has no public key that is supported.")
    claims = token.claims
    if not key.verifies(token, algorithms=ALGORITHMS):
        raise InvalidProof("The signature of the proof is wrong.")
    if not is_of_request(claims, method=method, address=address):
        raise InvalidProof("The proof is for another request.")
    if access_token and not hmac.compare_digest(text_in(claims, "ath").encode(), hash_of(access_token).encode()):
        raise InvalidProof("The proof is for another access token.")
    issued_at = _issued_at(claims, now=now, age=age)
    if not text_in(claims, "jti"):
        raise InvalidProof("The proof has no id.")
    return Proof(
        thumbprint=key.thumbprint, jti=text_in(claims, "jti"), issued_at=issued_at, nonce=text_in(claims, "nonce")
    )


def hash_of(access_token: str) -> str:
    """Return the claim ``ath`` for an access token: SHA-256, in base64url."""
    return base64.urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()).rstrip(b"=").decode()


def is_of_request(claims: Mapping[str, Any], *, method: str, address: str) -> bool:
    """Return whether the claims ``htm`` and ``htu`` are those of a request. Query and fragment are not compared."""
    named = claims.get("htu")
    if claims.get("htm") != method or not isinstance(named, str):
        return False
    wanted = normalised(address)
    return wanted is not None and normalised(named) == wanted


def normalised(address: str) -> tuple[str, str, int, str] | None:
    """Return scheme, host, port and path for a comparison (RFC 3986 sections 6.2.2 and 6.2.3). ``None``: no web address."""
    if len(address) > 2048 or not address.isascii():  # noqa: PLR2004 - longer than any address here
        return None
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    if not port or not parts.hostname or parts.username is not None:
        return None
    return parts.scheme, parts.hostname, port, unquote(parts.path) or "/"


def _issued_at(claims: Mapping[str, Any], *, now: float, age: timedelta) -> float:
    """Return when the proof was made.

    Raises:
        InvalidProof: it is too old or from the future, or its own ``exp`` or ``nbf`` forbids it.
    """
    issued_at = moment_in(claims, "iat")
    if issued_at is None or not now - age.total_seconds() <= issued_at <= now + AHEAD.total_seconds():
        raise InvalidProof("The proof is too old, or from the future.")
    if "exp" in claims and (moment_in(claims, "exp") or 0) <= now:
        raise InvalidProof("The proof has expired.")
    begins_at = moment_in(claims, "nbf") if "nbf" in claims else 0
    if begins_at is None or begins_at > now + AHEAD.total_seconds():
        raise InvalidProof("The proof is not valid yet.")
    return issued_at
