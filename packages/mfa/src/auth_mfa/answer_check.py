"""Looking at an answer: paid for first, recorded whatever it is."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from auth_core.assurance.methods import Method
from auth_core.errors import ChallengeFailed
from auth_core.events import Event, EventOutcome, record
from auth_mfa.events import MfaEvent
from auth_mfa.models import Factor


def check_answer(factor: Factor, check: Callable[[], str]) -> None:
    """Spend one of the guesses that *factor* has in a row, then look.

    Committed whatever the answer is: a guess that is rolled back would be free.

    Args:
        check: Spends what the answer is about; returns why it is not good, and nothing when it is.

    Raises:
        ChallengeFailed: it is not good.
    """
    with transaction.atomic(durable=True):
        has_guess = factor.spend_guess()
        reason = check() if has_guess else "exhausted"
        record_check(factor, reason)
        if reason and has_guess and _has_failed_too_often(factor):
            _record(MfaEvent.FACTOR_DISABLED, factor, EventOutcome.DENIED, "failures")
        if not reason:
            factor.note_use()
    if reason:
        raise ChallengeFailed


def record_check(factor: Factor, reason: str) -> None:
    """Record that a factor was proved, or why it was not."""
    if reason:
        _record(MfaEvent.FACTOR_FAILED, factor, EventOutcome.FAILURE, reason)
    else:
        _record(MfaEvent.FACTOR_USED, factor, EventOutcome.SUCCESS, "")


def record_mailbox_check(user: Any, reason: str) -> None:
    """Record the same of a mailbox that nobody enrolled: it has no row, and is named by its method alone."""
    record(
        Event(
            name=MfaEvent.FACTOR_FAILED if reason else MfaEvent.FACTOR_USED,
            subject=user,
            outcome=EventOutcome.FAILURE if reason else EventOutcome.SUCCESS,
            reason=reason,
            data={"method": Method.EMAIL_CODE.value},
        )
    )


def _has_failed_too_often(factor: Factor) -> bool:
    """Ask anew: guesses at the same moment have raised the count as well."""
    factor.refresh_from_db(fields=["failures"])
    return factor.is_exhausted


def _record(name: MfaEvent, factor: Factor, outcome: EventOutcome, reason: str) -> None:
    record(
        Event(
            name=name,
            subject=factor.user,
            target=("factor", str(factor.pk)),
            outcome=outcome,
            reason=reason,
            data={"method": Method(factor.method).value},
        )
    )
