"""The public keys of an issuer. Does not use Django.

Source: RFC 7517, RFC 7518 section 6, RFC 8037.
"""

from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

#: The sizes of RSA keys that are used, in bits. The lower one is that of RFC 7518. Verifying takes longer with each bit.
_RSA_BITS = range(2048, 6145)

#: The public members of each type of key, and its curve. A private member in a key set is not read.
_MEMBERS: Mapping[str, tuple[str, ...]] = {"EC": ("crv", "x", "y"), "RSA": ("n", "e"), "OKP": ("crv", "x")}
_CURVES = {"EC": "P-256", "OKP": "Ed25519"}
_CLASSES: Mapping[str, Any] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey}
_ALGORITHMS = {"EC": ("ES256",), "RSA": ("RS256", "PS256"), "OKP": ("EdDSA",)}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that verifies.

    Args:
        kid: Its id. Empty: it has none.
        algorithms: The algorithms that it is used with.
        key: The key.
    """

    kid: str
    algorithms: Sequence[str]
    key: Key


class PublicKeys:
    """The keys of an issuer at one moment. Keys that nothing here can use are left out.

    Args:
        document: A JWK set.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        keys = document.get("keys")
        self._keys = list(_usable(keys)) if isinstance(keys, list) else []

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, kid: str | None, algorithm: str) -> Key | None:
        """Return the key with this id for *algorithm*. A token without an id needs an issuer with one such key."""
        suitable = [each for each in self._keys if algorithm in each.algorithms]
        if kid is not None:
            suitable = [each for each in suitable if each.kid == kid]
        return suitable[0].key if len(suitable) == 1 else None


def _usable(keys: Sequence[Any]) -> Iterator[PublicKey]:
    for jwk in keys:
        if not isinstance(jwk, dict):
            continue
        kty, kid, stated = jwk.get("kty"), jwk.get("kid", ""), jwk.get("alg")
        if not isinstance(kty, str) or not isinstance(kid, str) or not _is_for_signatures(jwk):
            continue
        algorithms = [name for name in _ALGORITHMS.get(kty, ()) if stated in (None, name)]
        key = _imported(kty, jwk) if algorithms else None
        if key is not None:
            yield PublicKey(kid, algorithms, key)


def _is_for_signatures(jwk: Mapping[str, Any]) -> bool:
    operations = jwk.get("key_ops")
    return jwk.get("use", "sig") == "sig" and (
        operations is None or (isinstance(operations, list) and "verify" in operations)
    )


def _imported(kty: str, jwk: Mapping[str, Any]) -> Key | None:
    """Return the public key of *jwk*, or ``None`` if it is none that is used here."""
    if jwk.get("crv") != _CURVES.get(kty) or (kty == "RSA" and _bits_of(jwk.get("n")) not in _RSA_BITS):
        return None
    try:
        key: Key = _CLASSES[kty].import_key({"kty": kty, **{name: jwk[name] for name in _MEMBERS[kty]}})
        key.get_op_key("verify")
    except (JoseError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
        return None
    return key


def _bits_of(modulus: Any) -> int:
    """Return the size of a modulus in base64url, in bits. 0: it is none of a reasonable length."""
    if not isinstance(modulus, str) or not modulus.isascii() or len(modulus) > _RSA_BITS.stop:
        return 0
    try:
        return int.from_bytes(urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4)), "big").bit_length()
    except ValueError:
        return 0
