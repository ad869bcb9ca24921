"""The check of an answer. It charges a guess first, and records every result."""

from collections.abc import Callable

from django.db import transaction

from auth_core.assurance.methods import Method
from auth_core.errors import ChallengeFailed
from auth_core.events import Event, EventOutcome, record
from auth_core.users import UserLike
from auth_mfa.events import MfaEvent
from auth_mfa.models import Factor


def check_answer(factor: Factor, check: Callable[[], str]) -> None:
    """Charge one of the consecutive guesses of *factor*, then check the answer.

    The result is committed in every case, because a guess that is rolled back would be free.

    Args:
        check: Spends what was answered. Returns why the answer is wrong, or an empty string.

    Raises:
        ChallengeFailed: the answer is wrong.
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
    """Record that a factor was proved, or *reason* if it was not."""
    if reason:
        _record(MfaEvent.FACTOR_FAILED, factor, EventOutcome.FAILURE, reason)
    else:
        _record(MfaEvent.FACTOR_USED, factor, EventOutcome.SUCCESS, "")


def record_mailbox_check(user: UserLike, reason: str) -> None:
    """Record the same for a mailbox that was not enrolled. It has no row, so the event names only its method."""
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
    """Read the count again, because concurrent guesses raise it as well."""
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
