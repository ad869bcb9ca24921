"""Users with second factors, and their answers."""

import time
from typing import Any, TypeVar

from django.utils import timezone

from auth_core.request.client import Client
from auth_core.users import UserLike
from auth_mfa import oath
from auth_mfa.models import EmailFactor, Factor, FactorHistory, PhoneFactor, TotpFactor
from auth_mfa.recovery.code_sets import Sheet, issue_sheet

#: The key of RFC 6238 appendix B, for tests only.
KEY = b"12345678901234567890"

#: A valid mobile number. Texts to it stay in memory.
NUMBER = "+41791234567"


_F = TypeVar("_F", bound=Factor)


def add_totp(user: UserLike, *, key: bytes = KEY, name: str = "Phone") -> TotpFactor:
    """Give *user* a confirmed authenticator app with *key*."""
    factor = TotpFactor(user=user, name=name, seed=oath.to_base32(key), confirmed=True)
    return _added(factor)


def add_phone(user: UserLike, *, number: str = NUMBER, name: str = "Mobile") -> PhoneFactor:
    """Give *user* a confirmed phone. The site needs `AUTH_CORE["SMS_BACKEND"]` (fixture ``captured_texts``)."""
    return _added(PhoneFactor(user=user, name=name, number=number, confirmed=True))


def add_mailbox(user: Any, *, address: str = "", name: str = "Email") -> EmailFactor:
    """Give *user* a confirmed mailbox with *address*, or with the address of their account."""
    return _added(EmailFactor(user=user, name=name, address=address or user.email, confirmed=True))


def add_recovery_codes(user: UserLike) -> Sheet:
    """Give *user*, who has a factor, a sheet of recovery codes."""
    return issue_sheet(user=user, client=Client())


def current_code(key: bytes = KEY, *, steps: int = 0) -> str:
    """Return the code that the app shows, *steps* time steps from now.

    A code of the previous step expires when the current step ends, so near its end this
    waits for the next one.
    """
    if steps < 0:
        _wait_near_end_of_step()
    return oath.code_at(key, oath.step_at(timezone.now().timestamp()) + steps)


def wrong_code(key: bytes = KEY) -> str:
    """Return a code that the app shows neither now nor a step before or after."""
    right = {current_code(key, steps=steps) for steps in (-1, 0, 1)}
    return next(code for code in ("000000", "000001", "000002", "000003") if code not in right)


def _wait_near_end_of_step(seconds: float = 2) -> None:
    remaining = oath.STEP_SECONDS - time.time() % oath.STEP_SECONDS
    if remaining < seconds:
        time.sleep(remaining)


def _added(factor: _F) -> _F:
    factor.save(force_insert=True)
    if not isinstance(factor, EmailFactor):
        FactorHistory.objects.note_factor(factor.user)
    return factor
