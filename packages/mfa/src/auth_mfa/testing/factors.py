"""People with second factors, and what they would answer."""

import time
from typing import Any, TypeVar

from django.utils import timezone

from auth_core.request.client import Client
from auth_mfa import oath
from auth_mfa.models import EmailFactor, Factor, FactorHistory, PhoneFactor, TotpFactor
from auth_mfa.recovery.code_sets import Sheet, issue_sheet

#: The key of RFC 6238 appendix B; everybody's in tests, nobody's elsewhere.
KEY = b"12345678901234567890"

#: A mobile number that looks like one; texts to it stay in memory.
NUMBER = "+41791234567"


_F = TypeVar("_F", bound=Factor)


def add_totp(user: Any, *, key: bytes = KEY, name: str = "Phone") -> TotpFactor:
    """Give *user* a confirmed authenticator app that holds *key*."""
    factor = TotpFactor(user=user, name=name, seed=oath.to_base32(key), confirmed=True)
    return _added(factor)


def add_phone(user: Any, *, number: str = NUMBER, name: str = "Mobile") -> PhoneFactor:
    """Give *user* a confirmed telephone; the site needs `AUTH_CORE["SMS_BACKEND"]` (fixture ``captured_texts``)."""
    return _added(PhoneFactor(user=user, name=name, number=number, confirmed=True))


def add_mailbox(user: Any, *, address: str = "", name: str = "Email") -> EmailFactor:
    """Give *user* a confirmed mailbox, that of their account unless another is given."""
    return _added(EmailFactor(user=user, name=name, address=address or user.email, confirmed=True))


def add_recovery_codes(user: Any) -> Sheet:
    """Give *user*, who has a factor, a sheet of recovery codes."""
    return issue_sheet(user=user, client=Client())


def current_code(key: bytes = KEY, *, steps: int = 0) -> str:
    """Return what the app shows now, or so many time steps from now.

    A code of the step before is good until this step is over: at its end the next one is awaited.
    """
    if steps < 0:
        _leave_time_to_type()
    return oath.code_at(key, oath.step_at(timezone.now().timestamp()) + steps)


def _leave_time_to_type(seconds: float = 2) -> None:
    left = oath.STEP_SECONDS - time.time() % oath.STEP_SECONDS
    if left < seconds:
        time.sleep(left)


def _added(factor: _F) -> _F:
    factor.save(force_insert=True)
    if not isinstance(factor, EmailFactor):
        FactorHistory.objects.note_factor(factor.user)
    return factor
