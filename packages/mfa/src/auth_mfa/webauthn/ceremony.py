"""The two ceremonies of WebAuthn: what a browser is asked, and whether its answer is right. Knows no users.

Source: WebAuthn Level 3 sections 7.1 (registration) and 7.2 (authentication). The
library does the most of it; here stands what it leaves out: sizes, plain CBOR, frames,
keys that could never be used, and one refusal for everything that it raises.
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

#: Longest credential that is read, in characters of JSON.
MAX_CREDENTIAL = 16_384

#: Longest members, in characters of base64url; an id has at most 1023 bytes, a user handle 64.
_ID, _HANDLE = 1364, 86
_ASSERTION = {"clientDataJSON": 4096, "authenticatorData": 4096, "signature": 1024}
_ATTESTATION = {"clientDataJSON": 4096, "attestationObject": 12_288}

_BASE64URL = Pattern(r"[A-Za-z0-9_-]+", at_most=MAX_CREDENTIAL)

#: What is asked for, the best first: RFC 9053 EdDSA and ES256, RFC 8812 RS256 (for Windows Hello).
_ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]

#: Bits of an RSA key: fewer are weak (ASVS 11.2.3), more only make us slow.
_RSA_BITS = range(2048, 4097)

#: Bytes of its public exponent, which is 65537 nearly everywhere.
_RSA_EXPONENT_BYTES = 4

_TRANSPORTS = frozenset({"usb", "nfc", "ble", "internal", "cable", "hybrid", "smart-card"})


class Malformed(Exception):
    """What was sent has not the shape of a credential; nothing in it was looked at."""


class Refused(Exception):
    """The answer is not right; why, is nobody's business but the trail's."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """Who asks.

    Args:
        id: The domain that credentials are bound to.
        name: What people call the site.
        origins: Where our pages are.
        top_origins: Whose pages may hold ours in a frame; usually nobody's.
    """

    id: str
    name: str
    origins: Sequence[str]
    top_origins: Sequence[str] = ()


class StoredCredential(Protocol):
    """A credential that exists already, as far as a browser has to be told."""

    credential_id: str
    transports: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A credential that an authenticator has made."""

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
    """What a right assertion says."""

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
    """Return what ``navigator.credentials.create`` is given, as JSON.

    Args:
        user_handle: What the authenticator calls the person; tells nothing of them.
        exclude: What they have already; an authenticator makes no second one beside it.
        discoverable: ``required``, ``preferred`` or ``discouraged``.
        timeout: In milliseconds.
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
        exclude_credentials=[_descriptor(known) for known in exclude],
        supported_pub_key_algs=_ALGORITHMS,
    )
    return options_to_json_dict(options) | {"extensions": {"credProps": True}}


def assertion_options(
    party: RelyingParty, *, challenge: str, allow: Sequence[StoredCredential], verification: str, timeout: int
) -> dict[str, Any]:
    """Return what ``navigator.credentials.get`` is given, as JSON.

    Args:
        allow: What may answer; empty: whatever the authenticator finds itself.
        verification: ``required`` or ``preferred``.
        timeout: In milliseconds.
    """
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=base64url_to_bytes(challenge),
        timeout=timeout,
        allow_credentials=[_descriptor(known) for known in allow],
        user_verification=UserVerificationRequirement(verification),
    )
    return options_to_json_dict(options)


def check_assertion_shape(credential: Any) -> str:
    """Return the id of the credential that *credential* names, once it has the shape of an assertion.

    Raises:
        Malformed: it has not.
    """
    _check_shape(credential, _ASSERTION)
    handle = credential["response"].get("userHandle")
    if handle is not None and not _is_base64url(handle, _HANDLE):
        raise Malformed
    return str(credential["id"])


def check_attestation_shape(credential: Any) -> None:
    """See that *credential* has the shape of what an authenticator has made.

    Raises:
        Malformed: it has not.
    """
    _check_shape(credential, _ATTESTATION)


def verify_registration(party: RelyingParty, credential: Mapping[str, Any], *, challenge: str) -> Registered:
    """Return the credential that was made for *challenge*; its shape was checked.

    Who built the authenticator is not asked (attestation ``none``), so that whatever
    statement came along is left unread: certificates of strangers are a parser's food.

    Raises:
        Refused: it was not made for us, or not so that it could be used.
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
    except Exception as error:  # the library raises whatever its parsers do; none of it is an error of ours
        raise Refused("attestation") from error


def verify_assertion(
    party: RelyingParty,
    credential: Mapping[str, Any],
    *,
    challenge: str,
    public_key: str,
    verification_required: bool = False,
) -> Asserted:
    """Return what an assertion says that was made for *challenge* with *public_key*; its shape was checked.

    Whether its counter rose, whoever keeps the last one decides: the library would look
    at it before the signature, and anybody could make it cry wolf.

    Raises:
        Refused: it is not right.
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
    """Return whom the authenticator says that it answers for."""
    handle = credential["response"].get("userHandle")
    return None if handle is None else base64url_to_bytes(handle)


def claimed_challenge(credential: Mapping[str, Any]) -> str:
    """Return the challenge that an answer says it is for, to do for nobody the work that is done for somebody."""
    try:
        claimed = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))["challenge"]
        base64url_to_bytes(claimed)
    except Exception:  # noqa: BLE001 - bytes of strangers fail in every way there is
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


def _size_of(credential: Any) -> int:
    try:
        return len(json.dumps(credential))
    except (ValueError, TypeError, RecursionError):
        raise Malformed from None


def _is_base64url(value: Any, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and bool(_BASE64URL.fullmatch(value))


def _check_frame(credential: Mapping[str, Any], party: RelyingParty) -> None:
    """Refuse what was made in a frame of somebody's page, unless it is known whose (section 13.4.9: clickjacking).

    Raises:
        Refused: it was.
    """
    client_data = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))
    is_framed = client_data.get("crossOrigin") not in (None, False) or "topOrigin" in client_data
    if is_framed and client_data.get("topOrigin") not in party.top_origins:
        raise Refused("cross_origin")


def _unattested(response: Mapping[str, Any]) -> dict[str, str]:
    """Return the response with the authenticator data alone, as if it had come with attestation ``none``."""
    given = base64url_to_bytes(response["attestationObject"])
    cbor.check_item(given)
    authenticator_data = parse_cbor(given)["authData"]
    cbor.check_authenticator_data(authenticator_data)
    bare = encode_cbor({"fmt": "none", "attStmt": {}, "authData": authenticator_data})
    return {"clientDataJSON": response["clientDataJSON"], "attestationObject": bytes_to_base64url(bare)}


def _check_key(public_key: bytes) -> None:
    """Refuse a key that is weak, of another curve than its algorithm's, or no point of it at all.

    Raises:
        Refused: it is; other errors, where it cannot even be read.
    """
    decoded = decode_credential_public_key(public_key)
    if isinstance(decoded, DecodedRSAPublicKey) and not _is_of_fair_size(decoded):
        raise Refused("key")
    key = decoded_public_key_to_cryptography(decoded)
    is_weak = isinstance(key, RSAPublicKey) and key.key_size not in _RSA_BITS
    if is_weak or (isinstance(key, EllipticCurvePublicKey) and not isinstance(key.curve, SECP256R1)):
        raise Refused("key")


def _is_of_fair_size(key: DecodedRSAPublicKey) -> bool:
    """Say whether the numbers of an RSA key are short enough to be read: work grows with more than their square."""
    return len(key.n) <= _RSA_BITS.stop // 8 and len(key.e) <= _RSA_EXPONENT_BYTES


def _picked(credential: Mapping[str, Any]) -> dict[str, Any]:
    return {name: credential[name] for name in ("id", "rawId", "type")}


def _picked_response(credential: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: credential["response"].get(name) for name in names}


def _descriptor(known: StoredCredential) -> PublicKeyCredentialDescriptor:
    transports = [AuthenticatorTransport(name) for name in known.transports]
    return PublicKeyCredentialDescriptor(id=base64url_to_bytes(known.credential_id), transports=transports or None)


def _transports_of(response: Mapping[str, Any]) -> tuple[str, ...]:
    given = response.get("transports")
    return (
        tuple(sorted(_TRANSPORTS.intersection(name for name in given if isinstance(name, str))))
        if isinstance(given, list)
        else ()
    )


def _is_discoverable(credential: Mapping[str, Any]) -> bool:
    """Say whether the browser tells that the credential finds itself; where it tells nothing, no."""
    results = credential.get("clientExtensionResults")
    properties = results.get("credProps") if isinstance(results, dict) else None
    return isinstance(properties, dict) and properties.get("rk") is True
