"""The two ceremonies of WebAuthn: options for the browser and verification of its response, without users.

Source: WebAuthn Level 3 sections 7.1 (registration) and 7.2 (authentication). The library
does most of the work. This module adds limits of size, plain CBOR, frames, unusable keys,
and one exception for everything that the library raises.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import webauthn
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    encode_cbor,
    options_to_json_dict,
    parse_cbor,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.decode_credential_public_key import DecodedRSAPublicKey
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from auth_core.text import Pattern
from auth_mfa.webauthn import cbor

#: Length of the longest accepted credential, in characters of JSON.
MAX_CREDENTIAL = 16_384

#: Lengths of the longest members, in characters of base64url. An id has at most 1023 bytes, a user handle 64.
_ID, _HANDLE = 1364, 86
_ASSERTION = {"clientDataJSON": 4096, "authenticatorData": 4096, "signature": 1024}
_ATTESTATION = {"clientDataJSON": 4096, "attestationObject": 12_288}

_BASE64URL = Pattern(r"[A-Za-z0-9_-]+", at_most=MAX_CREDENTIAL)

#: Accepted algorithms, the best first: RFC 9053 EdDSA and ES256, RFC 8812 RS256 (for Windows Hello).
_ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]

#: Bits of an RSA key. Shorter keys are weak (ASVS 11.2.3), longer keys only cost time.
_RSA_BITS = range(2048, 4097)

#: Maximum bytes of its public exponent, which is usually 65537.
_RSA_EXPONENT_BYTES = 4

_TRANSPORTS = frozenset({"usb", "nfc", "ble", "internal", "cable", "hybrid", "smart-card"})


class Malformed(Exception):
    """The data does not have the shape of a credential. Its content was not checked."""


class Refused(Exception):
    """The response is not valid. The reason is for the audit trail only."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """The relying party.

    Args:
        id: The domain that credentials are bound to.
        name: The name of the site.
        origins: The origins of our pages.
        top_origins: Origins whose pages may frame ours, usually none.
    """

    id: str
    name: str
    origins: Sequence[str]
    top_origins: Sequence[str] = ()


class StoredCredential(Protocol):
    """A stored credential, with the attributes that browsers need."""

    credential_id: str
    transports: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A new credential of an authenticator."""

    credential_id: str
    public_key: str
    sign_count: int
    aaguid: UUID
    transports: tuple[str, ...]
    backup_eligible: bool
    backup_state: bool
    user_verified: bool
    discoverable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asserted:
    """The claims of a valid assertion."""

    sign_count: int
    backup_eligible: bool
    backup_state: bool
    user_verified: bool


def registration_options(
    party: RelyingParty,
    *,
    challenge: str,
    user_handle: bytes,
    user_name: str,
    exclude: Sequence[StoredCredential],
    discoverable: str,
    timeout: int,
) -> dict[str, Any]:
    """Return the options of ``navigator.credentials.create``, as JSON.

    Args:
        user_handle: The authenticator's name for the user, which reveals nothing.
        exclude: The user's credentials. Their authenticators refuse to make another one.
        discoverable: ``required``, ``preferred`` or ``discouraged``.
        timeout: Milliseconds.
    """
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=user_handle,
        user_name=user_name,
        challenge=base64url_to_bytes(challenge),
        timeout=timeout,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement(discoverable),
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=[_descriptor(credential) for credential in exclude],
        supported_pub_key_algs=_ALGORITHMS,
    )
    return options_to_json_dict(options) | {"extensions": {"credProps": True}}


def assertion_options(
    party: RelyingParty, *, challenge: str, allow: Sequence[StoredCredential], verification: str, timeout: int
) -> dict[str, Any]:
    """Return the options of ``navigator.credentials.get``, as JSON.

    Args:
        allow: The credentials that may answer. Empty: any discoverable credential.
        verification: ``required`` or ``preferred``.
        timeout: Milliseconds.
    """
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=base64url_to_bytes(challenge),
        timeout=timeout,
        allow_credentials=[_descriptor(credential) for credential in allow],
        user_verification=UserVerificationRequirement(verification),
    )
    return options_to_json_dict(options)


def check_assertion_shape(credential: Any) -> str:
    """Check that *credential* has the shape of an assertion, and return its id.

    Raises:
        Malformed: it does not have the shape.
    """
    _check_shape(credential, _ASSERTION)
    handle = credential["response"].get("userHandle")
    if handle is not None and not _is_base64url(handle, _HANDLE):
        raise Malformed
    return str(credential["id"])


def check_attestation_shape(credential: object) -> None:
    """Check that *credential* has the shape of an attestation.

    Raises:
        Malformed: it does not have the shape.
    """
    _check_shape(credential, _ATTESTATION)


def verify_registration(party: RelyingParty, credential: Mapping[str, Any], *, challenge: str) -> Registered:
    """Return the credential that was created for *challenge*. The caller has checked its shape.

    The maker of the authenticator does not matter (attestation ``none``). An attestation
    statement is ignored, so that no parser reads certificates of strangers.

    Raises:
        Refused: the credential was not created for this site, or cannot be used.
    """
    try:
        _check_frame(credential, party)
        verified = webauthn.verify_registration_response(
            credential=_picked(credential) | {"response": _unattested(credential["response"])},
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            supported_pub_key_algs=_ALGORITHMS,
        )
        _check_key(verified.credential_public_key)
        if bytes_to_base64url(verified.credential_id) != credential["id"]:
            raise Refused("id")
        return Registered(
            credential_id=credential["id"],
            public_key=bytes_to_base64url(verified.credential_public_key),
            sign_count=verified.sign_count,
            aaguid=UUID(verified.aaguid),
            transports=_transports_of(credential["response"]),
            backup_eligible=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
            backup_state=verified.credential_backed_up,
            user_verified=verified.user_verified,
            discoverable=_is_discoverable(credential),
        )
    except Refused:
        raise
    except Exception as error:  # the library lets any exception of its parsers through
        raise Refused("attestation") from error


def verify_assertion(
    party: RelyingParty,
    credential: Mapping[str, Any],
    *,
    challenge: str,
    public_key: str,
    verification_required: bool = False,
) -> Asserted:
    """Verify an assertion for *challenge* with *public_key*, and return its claims. The caller has checked its shape.

    The caller compares the signature counter. The library would compare it before the
    signature, so that a forged assertion could raise a false alert.

    Raises:
        Refused: the assertion is not valid.
    """
    try:
        _check_frame(credential, party)
        cbor.check_authenticator_data(base64url_to_bytes(credential["response"]["authenticatorData"]))
        names = (*_ASSERTION, "userHandle")
        verified = webauthn.verify_authentication_response(
            credential=_picked(credential) | {"response": _picked_response(credential, names)},
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=0,
            require_user_verification=verification_required,
        )
    except Refused:
        raise
    except Exception as error:  # as above
        raise Refused("assertion") from error
    return Asserted(
        sign_count=verified.new_sign_count,
        backup_eligible=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        backup_state=verified.credential_backed_up,
        user_verified=verified.user_verified,
    )


def user_handle_of(credential: Mapping[str, Any]) -> bytes | None:
    """Return the user handle in the response, or ``None``."""
    handle = credential["response"].get("userHandle")
    return None if handle is None else base64url_to_bytes(handle)


def claimed_challenge(credential: Mapping[str, Any]) -> str:
    """Return the challenge that the response claims. It serves to do the same work without a login."""
    try:
        claimed = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))["challenge"]
        base64url_to_bytes(claimed)
    except Exception:  # noqa: BLE001 - untrusted bytes can raise any exception
        return ""
    return str(claimed)


def _check_shape(credential: Any, members: Mapping[str, int]) -> None:
    response = credential.get("response") if isinstance(credential, dict) else None
    if (
        not isinstance(response, dict)
        or credential.get("type") != "public-key"
        or _size_of(credential) > MAX_CREDENTIAL
    ):
        raise Malformed
    values = [(credential.get("id"), _ID), (credential.get("rawId"), _ID)]
    values += [(response.get(name), longest) for name, longest in members.items()]
    if not all(_is_base64url(value, longest) for value, longest in values):
        raise Malformed


def _size_of(credential: object) -> int:
    try:
        return len(json.dumps(credential))
    except (ValueError, TypeError, RecursionError):
        raise Malformed from None


def _is_base64url(value: object, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and bool(_BASE64URL.fullmatch(value))


def _check_frame(credential: Mapping[str, Any], party: RelyingParty) -> None:
    """Refuse a response from a frame of an origin that is not allowed (section 13.4.9: clickjacking).

    Raises:
        Refused: the page was framed by such an origin.
    """
    client_data = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))
    is_framed = client_data.get("crossOrigin") not in (None, False) or "topOrigin" in client_data
    if is_framed and client_data.get("topOrigin") not in party.top_origins:
        raise Refused("cross_origin")


def _unattested(response: Mapping[str, Any]) -> dict[str, str]:
    """Return the response without its attestation statement, as if attestation were ``none``."""
    attestation = base64url_to_bytes(response["attestationObject"])
    cbor.check_item(attestation)
    authenticator_data = parse_cbor(attestation)["authData"]
    cbor.check_authenticator_data(authenticator_data)
    bare = encode_cbor({"fmt": "none", "attStmt": {}, "authData": authenticator_data})
    return {"clientDataJSON": response["clientDataJSON"], "attestationObject": bytes_to_base64url(bare)}


def _check_key(public_key: bytes) -> None:
    """Refuse a key that is weak, or not a point on the curve of its algorithm.

    Raises:
        Refused: the key is refused. A key that cannot be parsed raises other exceptions.
    """
    decoded = decode_credential_public_key(public_key)
    if isinstance(decoded, DecodedRSAPublicKey) and not _is_of_fair_size(decoded):
        raise Refused("key")
    key = decoded_public_key_to_cryptography(decoded)
    is_weak = isinstance(key, RSAPublicKey) and key.key_size not in _RSA_BITS
    if is_weak or (isinstance(key, EllipticCurvePublicKey) and not isinstance(key.curve, SECP256R1)):
        raise Refused("key")


def _is_of_fair_size(key: DecodedRSAPublicKey) -> bool:
    """Return whether the numbers of an RSA key are short enough to parse, which takes more than quadratic time."""
    return len(key.n) <= _RSA_BITS.stop // 8 and len(key.e) <= _RSA_EXPONENT_BYTES


def _picked(credential: Mapping[str, Any]) -> dict[str, Any]:
    return {name: credential[name] for name in ("id", "rawId", "type")}


def _picked_response(credential: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: credential["response"].get(name) for name in names}


def _descriptor(credential: StoredCredential) -> PublicKeyCredentialDescriptor:
    transports = [AuthenticatorTransport(name) for name in credential.transports]
    return PublicKeyCredentialDescriptor(id=base64url_to_bytes(credential.credential_id), transports=transports or None)


def _transports_of(response: Mapping[str, Any]) -> tuple[str, ...]:
    transports = response.get("transports")
    return (
        tuple(sorted(_TRANSPORTS.intersection(name for name in transports if isinstance(name, str))))
        if isinstance(transports, list)
        else ()
    )


def _is_discoverable(credential: Mapping[str, Any]) -> bool:
    """Return whether the browser reports a discoverable credential. Without a report it is not discoverable."""
    results = credential.get("clientExtensionResults")
    properties = results.get("credProps") if isinstance(results, dict) else None
    return isinstance(properties, dict) and properties.get("rk") is True
