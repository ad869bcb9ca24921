"""Client assertions: an application authenticates with a private key, and this service never has its secret.

Source: RFC 7521, RFC 7523, OpenID Connect Core section 9, FAPI 2.0 Security Profile section 5.3.2.1.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from auth_core.crypto.signature_algorithms import STRONG_ALGORITHMS
from auth_core.oauth.proofs.client_keys import ClientKeys
from auth_core.oauth.proofs.one_time import OneTime
from auth_core.oauth_resource.proofs.dpop import AHEAD
from auth_core.oauth_resource.tokens.compact import CompactToken, read_compact
from auth_core.oauth_resource.tokens.members import moment_in, text_in

#: The only value of ``client_assertion_type``.
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

#: What an assertion may be signed with.
ALGORITHMS = (*STRONG_ALGORITHMS, "RS256")

#: How long an assertion may be valid. Its id is kept for as long.
LONGEST_LIFETIME = timedelta(minutes=10)

#: The types that a header may name. Most clients name none or the first.
_TYPES = frozenset({"", "jwt", "client-authentication+jwt"})

#: Most keys that are tried for an assertion without a key id.
_MOST_TRIED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionRules:
    """What an assertion of one application must be.

    Args:
        client_id: Its issuer and its subject.
        audiences: Its audience is one of these.
        algorithms: It is signed with one of these.
    """

    client_id: str
    audiences: Collection[str]
    algorithms: Collection[str]


def read_assertion(text: str) -> CompactToken | None:
    """Return an assertion whose signature nobody has checked, or ``None`` if it is none."""
    token = read_compact(text)
    return token if token is not None and token.type in _TYPES else None


def unverified_subject(assertion: CompactToken) -> str:
    """Return the client that *assertion* names, to look it up. It proves nothing."""
    return text_in(assertion.claims, "sub")


def is_valid(assertion: CompactToken, rules: AssertionRules, keys: ClientKeys) -> bool:
    """Return whether *assertion* is signed by one of *keys* and follows *rules*. It is not spent here, see `one_time`.

    Raises:
        Unavailable: the keys of the application cannot be fetched now.
    """
    claims = assertion.claims
    if not claims.get("iss") == claims.get("sub") == rules.client_id or not text_in(claims, "jti"):
        return False
    # A list is refused: an audience beside ours could use the assertion here (FAPI 2.0 section 5.3.2.1).
    if not isinstance(claims.get("aud"), str) or claims["aud"] not in rules.audiences:
        return False
    return _is_current(claims) and _is_signed(assertion, rules, keys)


def one_time(assertion: CompactToken) -> OneTime:
    """Return an assertion that `is_valid` accepted as something to spend."""
    claims = assertion.claims
    return OneTime.assertion(client_id=claims["sub"], jti=claims["jti"], ends_at=claims["exp"])


def _is_signed(assertion: CompactToken, rules: AssertionRules, keys: ClientKeys) -> bool:
    if assertion.algorithm not in rules.algorithms:
        return False
    candidates = keys.candidates(text_in(assertion.header, "kid"), assertion.algorithm)[:_MOST_TRIED]
    return any(key.verifies(assertion, algorithms=rules.algorithms) for key in candidates)


def _is_current(claims: Mapping[str, Any]) -> bool:
    now, ahead, ends_at = timezone.now().timestamp(), AHEAD.total_seconds(), moment_in(claims, "exp")
    if ends_at is None or not now < ends_at <= now + LONGEST_LIFETIME.total_seconds() + ahead:
        return False
    begins = [moment_in(claims, name) for name in ("iat", "nbf") if name in claims]
    return all(moment is not None and moment <= now + ahead for moment in begins)
