"""ID tokens: which algorithms, which signature, and which claims. The metadata of a provider never adds an algorithm.

Source: OpenID Connect Core section 3.1.3.7, RFC 8725.
"""

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeGuard

from django.utils import timezone
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.jws import validate_compact

from auth_core.crypto.secrets import same
from auth_core.crypto.signature_algorithms import ALGORITHMS
from auth_core.federation.conf import federation
from auth_core.federation.errors import AnswerRefused
from auth_core.federation.models.connection import LONGEST_SUBJECT
from auth_core.federation.protocol.metadata import Metadata
from auth_core.federation.protocol.transport import ProviderFailed
from auth_core.oauth_resource.errors import Unavailable
from auth_core.oauth_resource.tokens.compact import CompactToken, read_compact

#: The algorithm of a provider that shares its secret with us. The configuration must name it, and then nothing else counts.
SHARED = "HS256"

#: The hash of each algorithm, for `at_hash`. Ed25519 hashes with SHA-512.
_HASHES = {**dict.fromkeys((*ALGORITHMS, SHARED), hashlib.sha256), "EdDSA": hashlib.sha512}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an ID token must be.

    Args:
        client_id: Our id at the provider.
        client_secret: Our secret, for `SHARED` alone.
        algorithms: The algorithms that the configuration allows.
        nonce: The nonce of this sign-in.
        access_token: The access token that came with it.
        max_age: How old the authentication at the provider may be. ``None``: of any age.
    """

    client_id: str
    client_secret: str = field(repr=False)
    algorithms: Sequence[str]
    nonce: str = field(repr=False)
    access_token: str = field(repr=False)
    max_age: timedelta | None = None


def verify_id_token(text: Any, metadata: Metadata, expected: Expected) -> Mapping[str, Any]:
    """Return the claims of an ID token.

    Raises:
        AnswerRefused: it is not for this sign-in, or not of this issuer.
        ProviderFailed: the keys of the issuer cannot be loaded.
    """
    token = read_compact(text) if isinstance(text, str) else None
    if token is None:
        raise AnswerRefused("id_token")
    _check_signature(token, metadata, expected)
    _check_parties(token.claims, metadata.issuer, expected)
    _check_times(token.claims, expected)
    nonce = token.claims.get("nonce")
    if not isinstance(nonce, str) or not same(nonce, expected.nonce):
        raise AnswerRefused("nonce")
    if "at_hash" in token.claims and token.claims["at_hash"] != _at_hash(expected.access_token, token.algorithm):
        raise AnswerRefused("at_hash")
    return token.claims


def usable_algorithms(configured: Sequence[str], advertised: Sequence[str] | None) -> list[str]:
    """Return the algorithms that count: ours, of the configuration and of the metadata.

    Args:
        configured: Of the configuration. With `SHARED` in it, nothing else counts: a public key would otherwise verify as a
            secret, or the reverse.
        advertised: Of the metadata. ``None``: it says nothing.
    """
    if SHARED in configured:
        return [SHARED]
    return [name for name in ALGORITHMS if name in configured and (advertised is None or name in advertised)]


def _check_signature(token: CompactToken, metadata: Metadata, expected: Expected) -> None:
    advertised = metadata.texts("id_token_signing_alg_values_supported")
    algorithm = token.algorithm
    if algorithm not in usable_algorithms(expected.algorithms, advertised):
        raise AnswerRefused("algorithm")
    if not (_is_shared(token, expected) if algorithm == SHARED else _is_signed(token, algorithm, metadata)):
        raise AnswerRefused("signature")


def _is_signed(token: CompactToken, algorithm: str, metadata: Metadata) -> bool:
    kid = token.header.get("kid")
    if kid is not None and not isinstance(kid, str):
        return False
    try:
        found = metadata.keys.candidates(kid or "", algorithm)
    except Unavailable:
        raise ProviderFailed("its keys cannot be loaded") from None
    # A token without an id needs an issuer with one such key.
    return len(found) == 1 and found[0].verifies(token, algorithms=(algorithm,))


def _is_shared(token: CompactToken, expected: Expected) -> bool:
    try:
        return validate_compact(token.content, OctKey.import_key(expected.client_secret), algorithms=[SHARED])
    except (JoseError, ValueError):
        return False


def _check_parties(claims: Mapping[str, Any], issuer: str, expected: Expected) -> None:
    if claims.get("iss") != issuer:
        raise AnswerRefused("iss")
    aud = claims.get("aud")
    audience = [aud] if isinstance(aud, str) else aud
    if not isinstance(audience, list) or expected.client_id not in audience:
        raise AnswerRefused("aud")
    # With several audiences, the one that asked is named. If one is named at all, it is us.
    if (len(audience) > 1 or "azp" in claims) and claims.get("azp") != expected.client_id:
        raise AnswerRefused("azp")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject or len(subject) > LONGEST_SUBJECT or not subject.isprintable():
        raise AnswerRefused("sub")


def _check_times(claims: Mapping[str, Any], expected: Expected) -> None:
    now, leeway = timezone.now().timestamp(), federation.LEEWAY.total_seconds()
    exp, iat = claims.get("exp"), claims.get("iat")
    if not _is_time(exp) or exp + leeway <= now:
        raise AnswerRefused("exp")
    if not _is_time(iat) or iat - leeway > now:
        raise AnswerRefused("iat")
    if "nbf" in claims and not (_is_time(claims["nbf"]) and claims["nbf"] - leeway <= now):
        raise AnswerRefused("nbf")
    if expected.max_age is None:
        return
    moment = claims.get("auth_time")
    if not _is_time(moment) or moment + expected.max_age.total_seconds() + leeway <= now:
        raise AnswerRefused("auth_time")


def _is_time(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _at_hash(access_token: str, algorithm: str) -> str:
    hashed = _HASHES[algorithm](access_token.encode()).digest()
    return base64.urlsafe_b64encode(hashed[: len(hashed) // 2]).rstrip(b"=").decode()
