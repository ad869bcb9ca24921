"""JSON Web Tokens that others have signed, and the public keys that verify them. Does not use Django.

Source: RFC 7515, RFC 7517, RFC 7518, RFC 8725. A key is rebuilt from the members that its type needs, so a symmetric key, a
private key or a key of unusual size never verifies anything.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jwt import decode

from auth_core.oauth_resource.tokens.algorithms import Registry
from auth_core.oauth_resource.tokens.compact import read_compact

#: The longest value in a text that is read, in characters.
LONGEST_VALUE = 256

#: Bits of an RSA key: at least those of FAPI 2.0 section 5.4.1, and at most what costs a millisecond to verify.
_FEWEST_BITS, _MOST_BITS = 2048, 4096

#: The longest exponent of an RSA key, in characters: 48 bits.
_LONGEST_EXPONENT = 8

#: The members that only a private or a symmetric key has.
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

#: The members of each type of key, and the algorithms that it verifies.
_TYPES: Mapping[tuple[str, str], tuple[type[Key], tuple[str, ...], tuple[str, ...]]] = {
    ("EC", "P-256"): (ECKey, ("crv", "x", "y"), ("ES256",)),
    ("OKP", "Ed25519"): (OKPKey, ("crv", "x"), ("EdDSA",)),
    ("RSA", ""): (RSAKey, ("n", "e"), ("PS256", "RS256")),
}


_READERS = {
    name: Registry(algorithms=[name], strict_check_header=False) for name in ("PS256", "RS256", "ES256", "EdDSA")
}


@dataclass(frozen=True, slots=True)
class UnverifiedText:
    """A compact token with an unverified signature.

    Args:
        text: All of it.
        header: Its header.
        claims: Its claims, as the sender wrote them.
    """

    text: str = field(repr=False)
    header: Mapping[str, Any]
    claims: Mapping[str, Any] = field(repr=False)

    @property
    def algorithm(self) -> str:
        """The algorithm that the header names, or an empty text."""
        return text_in(self.header, "alg")

    @property
    def type(self) -> str:
        """The type that the header names, in lower case, or an empty text."""
        return text_in(self.header, "typ").lower()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key of someone else.

    Args:
        key: The key.
        algorithms: The algorithms that it verifies.
        kid: Its id. Empty: it has none.
    """

    key: Key
    algorithms: tuple[str, ...]
    kid: str = ""

    @property
    def thumbprint(self) -> str:
        """SHA-256 of the key, in base64url (RFC 7638)."""
        return self.key.thumbprint()


def read_unverified(text: str) -> UnverifiedText | None:
    """Return the token *text* with its header, or ``None`` if it is none, or if its header needs an extension."""
    token = read_compact(text)
    return None if token is None else UnverifiedText(text, token.header, token.claims)


def read_public_key(jwk: object) -> PublicKey | None:
    """Return the public key in a JSON Web Key, or ``None`` if it is private, or of a type or size that is not used here."""
    if not isinstance(jwk, dict) or PRIVATE_MEMBERS & jwk.keys():
        return None
    type_ = text_in(jwk, "kty")
    found = _TYPES.get((type_, "" if type_ == "RSA" else text_in(jwk, "crv")))
    if found is None or (type_ == "RSA" and not _has_usual_size(jwk)):
        return None
    make, members, algorithms = found
    try:
        key = make.import_key({"kty": type_, **{name: _member(jwk, name) for name in members}})
    except (JoseError, ValueError, TypeError):
        return None
    if isinstance(key, RSAKey) and not _FEWEST_BITS <= key.public_key.key_size <= _MOST_BITS:
        return None
    stated = text_in(jwk, "alg")
    usable = tuple(name for name in algorithms if stated in ("", name))
    is_for_encryption = jwk.get("use", "sig") != "sig"
    return None if is_for_encryption or not usable else PublicKey(key, usable, text_in(jwk, "kid"))


def verified_claims(token: UnverifiedText, key: PublicKey, *, algorithms: Collection[str]) -> dict[str, Any] | None:
    """Return the claims of *token* if *key* has signed it, or ``None``.

    Args:
        algorithms: Those that are accepted here. That of the token must be one of them, and one of the key.
    """
    if token.algorithm not in algorithms or token.algorithm not in key.algorithms:
        return None
    try:
        claims: dict[str, Any] = decode(token.text, key.key, registry=_READERS[token.algorithm]).claims
    except (JoseError, ValueError, TypeError, RecursionError):
        return None
    return claims


def text_in(values: Mapping[str, Any], name: str) -> str:
    """Return a text of bounded length, or an empty one."""
    value = values.get(name)
    return value if isinstance(value, str) and len(value) <= LONGEST_VALUE else ""


def moment_in(claims: Mapping[str, Any], name: str) -> float | None:
    """Return a time, in Unix seconds. ``None`` if the claim is missing or is no number of a usual size."""
    value = claims.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and value is not None and 0 <= value < 1 << 40 else None


def _has_usual_size(jwk: Mapping[str, Any]) -> bool:
    """Return whether the members of an RSA key have the length of those that are used here, before they are decoded."""
    modulus, exponent = jwk.get("n"), jwk.get("e")
    if not isinstance(modulus, str) or not isinstance(exponent, str):
        return False
    return 6 * len(modulus) >= _FEWEST_BITS and len(exponent) <= _LONGEST_EXPONENT


def _member(jwk: Mapping[str, Any], name: str) -> str:
    """Return a member of a key. The modulus of the largest key has 683 characters."""
    value = jwk.get(name)
    if not isinstance(value, str) or not value.isascii() or len(value) > 4 * LONGEST_VALUE:
        raise TypeError
    return value
