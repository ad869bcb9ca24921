"""Authentication methods, and the evidence that one was used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from django.utils import timezone


class Method(StrEnum):
    """An authentication method. The set is closed."""

    PASSWORD = "password"  # noqa: S105 - the name of a method, not a password
    TOTP = "totp"
    SMS_CODE = "sms_code"
    EMAIL_CODE = "email_code"
    EMAIL_LINK = "email_link"
    RECOVERY_CODE = "recovery_code"
    ACCESS_PASS = "access_pass"  # noqa: S105 - the name of a method, not a password
    PASSKEY = "passkey"
    SECURITY_KEY = "security_key"
    PROVIDER = "provider"


#: The methods of WebAuthn credentials.
WEBAUTHN_METHODS = (Method.PASSKEY, Method.SECURITY_KEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One method proved at one moment.

    Args:
        method: The method.
        at: Time of the proof, by our clock.
        credential: Public id of the credential (a factor, or the connection to a provider). Empty for a password.
        user_verified: Whether the authenticator verified its user (WebAuthn UV), or a trusted provider two factors.
        phishing_resistant: Whether the proof is bound to our name or channel (SP 800-63B-4 section 3.2.5).
        device_bound: Whether the key cannot leave its device (WebAuthn backup eligibility is off).
    """

    method: Method
    at: datetime
    credential: str = ""
    user_verified: bool = False
    phishing_resistant: bool = False
    device_bound: bool = False

    @classmethod
    def now(cls, method: Method, **fields: Any) -> Self:
        """Return evidence of *method* with the current time."""
        return cls(method=method, at=timezone.now(), **fields)

    def to_json(self) -> dict[str, Any]:
        """Return the stored form. It omits flags that are not set."""
        stored: dict[str, Any] = {"method": self.method.value, "at": self.at.isoformat()}
        flags = ("user_verified", "phishing_resistant", "device_bound")
        stored.update({flag: True for flag in flags if getattr(self, flag)})
        return stored | ({"credential": self.credential} if self.credential else {})

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return evidence from its stored form.

        Raises:
            ValueError, KeyError: *stored* is malformed. It never counts as evidence.
        """
        fields = {**stored, "method": Method(stored["method"]), "at": datetime.fromisoformat(stored["at"])}
        return cls(**fields)


#: Methods as RFC 8176 authentication method references. They are made for output and never read back.
_AMR: Mapping[Method, tuple[str, ...]] = {
    Method.PASSWORD: ("pwd",),
    Method.TOTP: ("otp",),
    Method.SMS_CODE: ("otp", "sms"),
    Method.EMAIL_CODE: ("otp",),
    Method.EMAIL_LINK: ("otp",),
    Method.RECOVERY_CODE: ("otp",),
    Method.ACCESS_PASS: ("otp",),
    **dict.fromkeys(WEBAUTHN_METHODS, ("pop",)),
    Method.PROVIDER: (),
}


def amr_of(evidence: Iterable[Evidence]) -> list[str]:
    """Return the sorted RFC 8176 names of *evidence*, with ``mfa`` for two methods or a verified user."""
    proofs = list(evidence)
    names = {name for proof in proofs for name in _AMR[proof.method]}
    if any(proof.device_bound for proof in proofs):
        names.add("hwk")
    verifying = {proof.method for proof in proofs if proof.user_verified}
    if verifying.intersection(WEBAUTHN_METHODS):
        names.add("user")
    if len({proof.method for proof in proofs}) > 1 or verifying:
        names.add("mfa")
    return sorted(names)
