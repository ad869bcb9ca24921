"""A software authenticator that can lie on request. It returns the JSON that a browser would."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

from auth_core.users import UserLike
from auth_mfa.models import WebauthnFactor
from auth_mfa.webauthn.assertion import user_handle

# Flags of authenticator data (WebAuthn Level 3 section 6.1).
_UP, _UV, _BE, _BS, _AT = 0x01, 0x04, 0x08, 0x10, 0x40

_AAGUID = bytes(16)


@dataclass(kw_only=True)
class Authenticator:
    """A passkey or security key with a new ES256 key pair for each instance.

    An assignment changes its claims for good. An argument of the same name to `make` or
    `sign` changes them for one response.

    Args:
        sign_count: The next signature counter. 0 if it does not count.
        user_handle: The user handle, set by the registration. A key that is not discoverable omits it.
        challenge: Replaces the challenge of the options.
        client_type: Replaces ``webauthn.create`` and ``webauthn.get``.
        extra: Further members of the client data.
    """

    origin: str = "https://auth.example.org"
    rp_id: str = "auth.example.org"
    user_present: bool = True
    user_verified: bool = True
    backup_eligible: bool = False
    backup_state: bool = False
    discoverable: bool = True
    sign_count: int = 0
    user_handle: bytes | None = None
    challenge: str | None = None
    client_type: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False)

    def make(self, options: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
        """Return the result of ``navigator.credentials.create`` with attestation ``none``."""
        self.user_handle = base64url_to_bytes(options["user"]["id"])
        authenticator = replace(self, **changed)
        length = len(authenticator.credential_id).to_bytes(2, "big")
        attested = _AAGUID + length + authenticator.credential_id + encode_cbor(authenticator.public_key)
        statement = {"fmt": "none", "attStmt": {}, "authData": authenticator.data(_AT) + attested}
        response = {
            "clientDataJSON": authenticator.client_data(options, "webauthn.create"),
            "attestationObject": bytes_to_base64url(encode_cbor(statement)),
            "transports": ["internal", "hybrid"],
        }
        return authenticator.credential(response) | {
            "clientExtensionResults": {"credProps": {"rk": authenticator.discoverable}}
        }

    def sign(self, options: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
        """Return the result of ``navigator.credentials.get``."""
        if self.sign_count:
            self.sign_count += 1
        authenticator = replace(self, **changed)
        data, client_data = authenticator.data(), authenticator.client_data(options, "webauthn.get")
        signed = data + hashlib.sha256(base64url_to_bytes(client_data)).digest()
        handle = authenticator.user_handle if authenticator.discoverable else None
        return authenticator.credential(
            {
                "clientDataJSON": client_data,
                "authenticatorData": bytes_to_base64url(data),
                "signature": bytes_to_base64url(authenticator.key.sign(signed, ec.ECDSA(SHA256()))),
                **({} if handle is None else {"userHandle": bytes_to_base64url(handle)}),
            }
        )

    def added_to(self, user: UserLike, *, name: str = "Key") -> Self:
        """Store this credential as a factor of *user*, and return the authenticator."""
        self.user_handle = user_handle(user)
        is_passkey = self.discoverable or self.backup_eligible
        WebauthnFactor.objects.create(
            user=user,
            name=name,
            method="passkey" if is_passkey else "security_key",
            confirmed=True,
            credential_id=bytes_to_base64url(self.credential_id),
            credential_digest=hashlib.sha256(bytes_to_base64url(self.credential_id).encode()).hexdigest(),
            public_key=bytes_to_base64url(encode_cbor(self.public_key)),
            sign_count=self.sign_count,
            aaguid="00000000-0000-0000-0000-000000000000",
            transports=["internal"],
            backup_eligible=self.backup_eligible,
            backup_state=self.backup_state,
            user_verified=self.user_verified,
            discoverable=self.discoverable,
        )
        return self

    @property
    def factor(self) -> WebauthnFactor:
        """The current row of this credential."""
        row: WebauthnFactor = WebauthnFactor.objects.get(credential_id=bytes_to_base64url(self.credential_id))
        return row

    @property
    def public_key(self) -> dict[int, Any]:
        """The public half as a COSE key (RFC 9053 section 7.1.1)."""
        point = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}

    def data(self, flags: int = 0) -> bytes:
        """Return authenticator data without attested credential data and extensions."""
        claims = {_UP: self.user_present, _UV: self.user_verified, _BE: self.backup_eligible, _BS: self.backup_state}
        flags |= sum(bit for bit, is_set in claims.items() if is_set)
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.sign_count.to_bytes(4, "big")

    def client_data(self, options: Mapping[str, Any], kind: str) -> str:
        """Return the client data of the browser."""
        data = {
            "type": self.client_type or kind,
            "challenge": self.challenge or options["challenge"],
            "origin": self.origin,
            "crossOrigin": False,
            **self.extra,
        }
        return bytes_to_base64url(json.dumps(data).encode())

    def credential(self, response: Mapping[str, Any]) -> dict[str, Any]:
        """Return the credential with this *response*."""
        name = bytes_to_base64url(self.credential_id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": dict(response),
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
        }
