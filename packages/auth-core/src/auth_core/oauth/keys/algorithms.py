"""The algorithms of signatures, and the keys that each needs. Does not use Django.

Source: RFC 7518, RFC 8037, RFC 7638.
"""

from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from auth_core.crypto.signature_algorithms import ALGORITHMS
from auth_core.oauth_resource.tokens.algorithms import Registry

__all__ = ["ALGORITHMS", "RSA_BITS", "InvalidKey", "Registry", "from_pem", "new_private_key", "to_pem"]

#: ASVS Appendix C asks for 3072 bits, which is 128 bits of security.
RSA_BITS = 3072

_NEW: Mapping[str, Callable[[], Key]] = {
    "ES256": lambda: ECKey.generate_key("P-256"),
    "RS256": lambda: RSAKey.generate_key(RSA_BITS),
    "PS256": lambda: RSAKey.generate_key(RSA_BITS),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
}


class InvalidKey(Exception):
    """The text is not a private key that this service can sign with. The message holds no part of it."""


def new_private_key(algorithm: str) -> Key:
    """Return a new private key for *algorithm*."""
    return _NEW[algorithm]()


def to_pem(key: Key) -> str:
    """Return a private key as unencrypted PKCS 8, in PEM."""
    pem: bytes = key.as_pem(private=True)  # type: ignore[union-attr]  # every key here is asymmetric
    return pem.decode()


def from_pem(pem: str) -> tuple[Key, tuple[str, ...]]:
    """Return the private key in *pem*, and the algorithms that it can sign with.

    Raises:
        InvalidKey: it is no private key, or of a type or size that is not used here.
    """
    try:
        private = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as problem:
        raise InvalidKey("not a private key in PEM") from problem
    if isinstance(private, EllipticCurvePrivateKey) and isinstance(private.curve, SECP256R1):
        return ECKey.import_key(pem), ("ES256",)
    if isinstance(private, Ed25519PrivateKey):
        return OKPKey.import_key(pem), ("EdDSA",)
    if isinstance(private, RSAPrivateKey) and private.key_size >= RSA_BITS:
        return RSAKey.import_key(pem), ("RS256", "PS256")
    raise InvalidKey(f"not EC on P-256, Ed25519, or RSA of at least {RSA_BITS} bits")
