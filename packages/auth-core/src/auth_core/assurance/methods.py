"""Methods and evidence: what was proved, when and how."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from django.utils import timezone


class Method(StrEnum):
    """One way of proving; a closed set."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One method proved at one moment.

    Args:
        method: Which method.
        at: When, by our clock.
        credential: Public id of what it was proved with (a factor, a provider's connection); empty for a password.
        user_verified: The authenticator checked who holds it (WebAuthn UV).
        phishing_resistant: The proof is bound to our name or channel (SP 800-63B-4 section 3.2.5).
        device_bound: The key cannot leave its device (WebAuthn backup eligibility is off).
    """

    method: Method
    at: datetime
    credential: str = ""
    user_verified: bool = False
    phishing_resistant: bool = False
    device_bound: bool = False

    @classmethod
    def now(cls, method: Method, **known: Any) -> Self:
        """Return evidence of *method*, proved at this moment."""
        return cls(method=method, at=timezone.now(), **known)

    def to_json(self) -> dict[str, Any]:
        """Return the stored form; flags that are not set are left out."""
        stored: dict[str, Any] = {"method": self.method.value, "at": self.at.isoformat()}
        flags = ("user_verified", "phishing_resistant", "device_bound")
        stored.update({flag: True for flag in flags if getattr(self, flag)})
        return stored | ({"credential": self.credential} if self.credential else {})

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return evidence from its stored form.

        Raises:
            ValueError, KeyError: it is not such a form; never taken for evidence.
        """
        known = {**stored, "method": Method(stored["method"]), "at": datetime.fromisoformat(stored["at"])}
        return cls(**known)


#: Our methods as RFC 8176 authentication method references; made at the edge, never read back.
_AMR: Mapping[Method, tuple[str, ...]] = {
    Method.PASSWORD: ("pwd",),
    Method.TOTP: ("otp",),
    Method.SMS_CODE: ("otp", "sms"),
    Method.EMAIL_CODE: ("otp",),
    Method.EMAIL_LINK: ("otp",),
    Method.RECOVERY_CODE: ("otp",),
    Method.ACCESS_PASS: ("otp",),
    Method.PASSKEY: ("pop",),
    Method.SECURITY_KEY: ("pop",),
    Method.PROVIDER: (),
}


def amr_of(evidence: Iterable[Evidence]) -> list[str]:
    """Return the RFC 8176 names for *evidence*, sorted, with ``mfa`` for two methods or a verified user."""
    proved = list(evidence)
    names = {name for piece in proved for name in _AMR[piece.method]}
    if any(piece.device_bound for piece in proved):
        names.add("hwk")
    if any(piece.user_verified for piece in proved):
        names.add("user")
    if len({piece.method for piece in proved}) > 1 or "user" in names:
        names.add("mfa")
    return sorted(names)
