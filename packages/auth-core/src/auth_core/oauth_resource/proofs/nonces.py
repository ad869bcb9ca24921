"""The nonce of the server: a proof that has it was made lately, whatever the clock of the client says.

Source: RFC 9449 sections 8 and 9. A nonce is a time under a key of the site, so every process knows it and none stores it.
"""

from datetime import timedelta

from django.utils import timezone
from django.utils.crypto import salted_hmac

from auth_core.crypto.secrets import same
from auth_core.text import Pattern

#: Clients that ask within the same step get the same nonce.
_STEP = timedelta(seconds=30)

_NONCE = Pattern(r"[0-9a-f]{1,10}-[0-9a-f]{40}", at_most=51)


def current_nonce() -> str:
    """Return the nonce for the next proof of any client."""
    return _nonce(_step())


def is_current(nonce: str, *, lifetime: timedelta) -> bool:
    """Return whether *nonce* is one that this site gave out within *lifetime*."""
    if not _NONCE.fullmatch(nonce):
        return False
    step = int(nonce.partition("-")[0], 16)
    allowed = int(lifetime / _STEP)
    # The clock of another process may be a step ahead.
    return _step() - allowed <= step <= _step() + 1 and same(nonce, _nonce(step))


def _step() -> int:
    return int(timezone.now().timestamp() / _STEP.total_seconds())


def _nonce(step: int) -> str:
    return f"{step:x}-{_mac(step)}"


def _mac(step: int) -> str:
    return salted_hmac("auth_oauth.dpop_nonce", str(step), algorithm="sha256").hexdigest()[:40]
