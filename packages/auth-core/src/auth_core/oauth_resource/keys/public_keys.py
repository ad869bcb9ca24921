"""Public keys of others: of issuers, of clients, and of the holders of proofs. Does not use Django.

Source: RFC 7517, RFC 7518 section 6, RFC 8037. A key is rebuilt from the members that its type needs, so a symmetric key, a
private key or a key of unusual size never verifies anything.
"""

from base64 import urlsafe_b64decode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from auth_core.oauth_resource.tokens.compact import CompactToken
from auth_core.oauth_resource.tokens.members import LONGEST_VALUE, text_in

#: The sizes of RSA keys that are used, in bits. The lower one is that of RFC 7518. Verifying takes longer with each bit.
_RSA_BITS = range(2048, 6145)

#: The longest exponent of an RSA key, in characters: 48 bits. A long one makes a signature as slow as its sender likes.
_LONGEST_EXPONENT = 8

#: The longest member of a key, in characters: the modulus of the largest RSA key.
_LONGEST_MEMBER = 1024

#: Most keys that are read of one set.
_MOST_KEYS = 100

#: The members that only a private or a symmetric key has.
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

#: By type and curve: the class, the public members, and the algorithms.
_TYPES: Mapping[tuple[str, str], tuple[type[Key], tuple[str, ...], tuple[str, ...]]] = {
    ("EC", "P-256"): (ECKey, ("crv", "x", "y"), ("ES256",)),
    ("OKP", "Ed25519"): (OKPKey, ("crv", "x"), ("EdDSA",)),
    ("RSA", ""): (RSAKey, ("n", "e"), ("RS256", "PS256")),
}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that verifies.

    Args:
        kid: Its id. Empty: it has none.
        algorithms: The algorithms that it is used with.
        key: The key.
    """

    kid: str
    algorithms: tuple[str, ...]
    key: Key

    @property
    def thumbprint(self) -> str:
        """SHA-256 of the key, in base64url (RFC 7638)."""
        return self.key.thumbprint()

    def verifies(self, token: CompactToken, *, algorithms: Collection[str]) -> bool:
        """Return whether this key signed *token*.

        Args:
            algorithms: Those that are accepted here. That of the token must be one of them, and one of the key.
        """
        algorithm = token.algorithm
        return algorithm in algorithms and algorithm in self.algorithms and token.is_signed(self.key, algorithm)


class PublicKeys:
    """The keys of someone at one moment. Keys that nothing here can use are left out.

    Args:
        document: A JWK set.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        members = document.get("keys")
        usable = map(read_public_key, members[:_MOST_KEYS] if isinstance(members, list) else [])
        self._keys = [key for key in usable if key is not None]

    def __len__(self) -> int:
        return len(self._keys)

    def candidates(self, kid: str, algorithm: str) -> Sequence[PublicKey]:
        """Return the keys that may have signed with *algorithm*. With *kid*, only those that have this id."""
        return [key for key in self._keys if algorithm in key.algorithms and (not kid or key.kid == kid)]


def read_public_key(jwk: object) -> PublicKey | None:
    """Return the public key in a JSON Web Key. ``None`` if it is private, or of a use, type or size that is not known here.

    A key that was published with its private part is anyone's, so it is not used either.
    """
    if not isinstance(jwk, dict) or PRIVATE_MEMBERS & jwk.keys() or not _is_for_signatures(jwk):
        return None
    kty, kid, stated = text_in(jwk, "kty"), jwk.get("kid", ""), jwk.get("alg")
    type_ = _TYPES.get((kty, "" if kty == "RSA" else text_in(jwk, "crv")))
    if type_ is None or not isinstance(kid, str) or len(kid) > LONGEST_VALUE:
        return None
    algorithms = tuple(name for name in type_[2] if stated in (None, name))
    key = _imported(kty, jwk, type_) if algorithms else None
    return None if key is None else PublicKey(kid, algorithms, key)


def _is_for_signatures(jwk: Mapping[str, Any]) -> bool:
    operations = jwk.get("key_ops")
    return jwk.get("use", "sig") == "sig" and (
        operations is None or (isinstance(operations, list) and "verify" in operations)
    )


def _imported(kty: str, jwk: Mapping[str, Any], type_: tuple[Any, tuple[str, ...], tuple[str, ...]]) -> Key | None:
    """Return the public key of *jwk*, or ``None`` if it is none that is used here."""
    make, names, _algorithms = type_
    members = {name: jwk.get(name) for name in names}
    if not all(
        isinstance(value, str) and value.isascii() and len(value) <= _LONGEST_MEMBER for value in members.values()
    ):
        return None
    if kty == "RSA" and (_bits_of(jwk["n"]) not in _RSA_BITS or len(jwk["e"]) > _LONGEST_EXPONENT):
        return None
    try:
        key: Key = make.import_key({"kty": kty, **members})
        key.get_op_key("verify")
    except (JoseError, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key


def _bits_of(modulus: str) -> int:
    """Return the size of a modulus in base64url, in bits. 0: it is none."""
    try:
        return int.from_bytes(urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4)), "big").bit_length()
    except ValueError:
        return 0
