"""Protection against SMS pumping: budgets, and a circuit breaker for each prefix.

Source: OWASP Cheat Sheet "Multifactor Authentication", SMS pumping; ASVS 6.6.3, 2.4.1.
"""

from django.db import transaction
from django.utils import timezone

from auth_core import limits
from auth_core.events import Event, EventOutcome, record
from auth_core.request.client import Client
from auth_core.users import UserLike
from auth_mfa.conf import mfa
from auth_mfa.errors import NumberRefused
from auth_mfa.events import MfaEvent
from auth_mfa.messages.phone_numbers import parse_number
from auth_mfa.models import SmsPrefix


def admit(*, number: str, client: Client) -> None:
    """Admit one text to *number*, or refuse it, inside the caller's transaction.

    Raises:
        NumberRefused: no texts are sent to its type or country, or the breaker of its prefix is open.
        TooManyAttempts: the budget of the number, the prefix, the network or the whole site is used up.
    """
    parsed = parse_number(number)
    limits.charge_within("sms", client=client, number=parsed.e164, prefix=parsed.prefix, everybody="everybody")
    row = SmsPrefix.objects.lock(parsed.prefix)
    if row.is_closed:
        raise NumberRefused
    if _is_abused(row):
        _close(row)
        raise NumberRefused
    row.sent += 1
    row.save(update_fields=["sent"])


def note_used(*, number: str) -> None:
    """Record that the code of a text to *number* was used."""
    SmsPrefix.objects.note_used(parse_number(number).prefix)


def open_again(*, prefix: str, actor: UserLike | None) -> bool:
    """Reopen a closed prefix and return whether it was closed. Its counters were reset when it was closed."""
    with transaction.atomic():
        closed = SmsPrefix.objects.filter(pk=prefix, closed_until__gt=timezone.now())
        opened = bool(closed.update(closed_until=None))
        if opened:
            record(Event(name=MfaEvent.SMS_PREFIX_OPENED, actor=actor, data={"prefix": prefix}))
    return opened


def _is_abused(row: SmsPrefix) -> bool:
    least, share, _pause = mfa.SMS_BREAKER
    return row.sent >= least and row.used < share * row.sent


def _close(row: SmsPrefix) -> None:
    _least, _share, pause = mfa.SMS_BREAKER
    data = {"prefix": row.prefix, "sent": row.sent, "used": row.used}
    row.close(pause=pause)
    record(Event(name=MfaEvent.SMS_PREFIX_CLOSED, outcome=EventOutcome.DENIED, reason="unused", data=data))
