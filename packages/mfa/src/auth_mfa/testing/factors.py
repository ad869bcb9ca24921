"""People with an authenticator app, and the codes it would show."""

from typing import Any

from django.utils import timezone

from auth_mfa import totp
from auth_mfa.models import TotpFactor

#: The key of RFC 6238 appendix B; everybody's in tests, nobody's elsewhere.
KEY = b"12345678901234567890"


def add_totp(user: Any, *, key: bytes = KEY, name: str = "Phone") -> TotpFactor:
    """Give *user* a confirmed authenticator app that holds *key*."""
    factor: TotpFactor = TotpFactor.objects.create(user=user, name=name, seed=totp.to_base32(key), confirmed=True)
    return factor


def current_code(key: bytes = KEY, *, steps: int = 0) -> str:
    """Return what the app shows now, or so many time steps from now."""
    return totp.code_at(key, totp.step_at(timezone.now().timestamp()) + steps)
