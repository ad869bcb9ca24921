"""Concurrent changes by one user succeed or are refused, and never deadlock."""

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User

from auth_core.request.client import Client
from auth_core.testing.parallel import at_once, tally
from auth_mfa import enrolment, factors
from auth_mfa.answer_check import check_answer
from auth_mfa.factors import remove_factor
from auth_mfa.messages import sms_guard
from auth_mfa.messages.enrolment import begin_phone, confirm, resend
from auth_mfa.models import FactorHistory, PhoneFactor, RecoveryCodeSet, SentCode
from auth_mfa.models.factor_history import FactorHistoryManager
from auth_mfa.models.sent_code import code_of
from auth_mfa.recovery import login, recovery_codes
from auth_mfa.recovery.code_sets import Sheet, issue_sheet
from auth_mfa.testing.factors import NUMBER, add_phone, add_recovery_codes, add_totp, current_code
from auth_mfa.totp.enrolment import begin_totp, confirm_totp

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
    pytest.mark.usefixtures("captured_texts"),
]

#: Seconds, long enough for the other transaction to take its first lock.
_MEANWHILE = 0.5


@pytest.fixture
def dawdle(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make a function wait before or after its work, while its transaction holds its locks."""

    def dawdle(owner: Any, name: str, *, after: bool = True) -> None:
        called = getattr(owner, name)

        def slowly(*args: Any, **kwargs: Any) -> Any:
            if not after:
                time.sleep(_MEANWHILE)
            result = called(*args, **kwargs)
            if after:
                time.sleep(_MEANWHILE)
            return result

        monkeypatch.setattr(owner, name, slowly)

    return dawdle


def at_the_same_time(*tasks: Callable[[], Any]) -> Counter[str]:
    return tally(at_once(tasks))


def use(sheet: Sheet) -> str:
    """Spend the first code of *sheet* as an answer does."""
    code = recovery_codes.read_code(sheet.codes[0])
    assert code is not None
    digest = recovery_codes.digest_of(code, salt=sheet.factor.salt, cost=sheet.factor.cost)
    factor = RecoveryCodeSet.objects.select_related("user").get(pk=sheet.factor.pk)
    check_answer(factor, lambda: login._spent(factor, digest))
    return "used"


def test_beginning_an_app_while_another_is_confirmed_does_not_deadlock(
    alice: User, dawdle: Callable[..., None]
) -> None:
    begun = begin_totp(user=alice, name="")
    named: dict[str, Any] = {"factor_id": begun.factor.pk, "code": current_code(begun.factor.key)}
    dawdle(FactorHistoryManager, "lock")
    dawdle(enrolment, "note_added", after=False)

    results = at_the_same_time(
        partial(begin_totp, user=alice, name=""), partial(confirm_totp, user=alice, client=Client(), **named)
    )

    assert "OperationalError" not in results, dict(results)


def test_resending_a_code_while_it_is_answered_does_not_deadlock(alice: User, dawdle: Callable[..., None]) -> None:
    begun = begin_phone(user=alice, number=NUMBER, name="", client=Client())
    sent = code_of(occasion=begun.factor.pk, factor_id=begun.factor.pk)
    assert sent is not None
    named: dict[str, Any] = {"user": alice, "factor_id": begun.factor.pk, "client": Client()}
    dawdle(sms_guard, "admit")
    dawdle(SentCode, "spend")

    results = at_the_same_time(partial(resend, **named), partial(confirm, code=sent.code, **named))

    assert "OperationalError" not in results, dict(results)
    assert PhoneFactor.objects.get().confirmed


def test_beginning_a_phone_while_another_is_confirmed_does_not_deadlock(
    alice: User, dawdle: Callable[..., None]
) -> None:
    begun = begin_phone(user=alice, number=NUMBER, name="", client=Client())
    sent = code_of(occasion=begun.factor.pk, factor_id=begun.factor.pk)
    assert sent is not None
    named: dict[str, Any] = {"user": alice, "client": Client()}
    dawdle(FactorHistoryManager, "lock")
    dawdle(enrolment, "note_added", after=False)

    results = at_the_same_time(
        partial(begin_phone, number=NUMBER, name="", **named),
        partial(confirm, factor_id=begun.factor.pk, code=sent.code, **named),
    )

    assert "OperationalError" not in results, dict(results)


def test_replacing_a_sheet_while_a_code_is_used_does_not_deadlock(alice: User, dawdle: Callable[..., None]) -> None:
    add_totp(alice)
    sheet = add_recovery_codes(alice)
    dawdle(RecoveryCodeSet, "spend_guess")

    results = at_the_same_time(partial(use, sheet), partial(issue_sheet, user=alice, client=Client()))

    assert "OperationalError" not in results, dict(results)
    assert RecoveryCodeSet.objects.count() == 1


def test_removing_a_factor_during_a_reset_does_not_deadlock(
    alice: User, dawdle: Callable[..., None], django_user_model: Any
) -> None:
    administrator = django_user_model.objects.create_superuser("root")
    factor = add_totp(alice)
    add_recovery_codes(alice)
    dawdle(factors, "_record_removal")

    results = at_the_same_time(
        partial(remove_factor, factor=factor, actor=administrator),
        partial(factors.reset_factors, user=alice, actor=administrator),
    )

    assert "OperationalError" not in results, dict(results)
    assert factors.factors_of(alice) == []


def test_two_concurrent_removals_leave_no_sheet_alone(alice: User, dawdle: Callable[..., None]) -> None:
    app, phone = add_totp(alice), add_phone(alice)
    add_recovery_codes(alice)
    dawdle(factors, "person_changed")

    at_the_same_time(partial(remove_factor, factor=app), partial(remove_factor, factor=phone))

    assert factors.factors_of(alice) == []


def test_removing_a_sheet_while_a_code_is_used_does_not_deadlock(alice: User, dawdle: Callable[..., None]) -> None:
    factor = add_totp(alice)
    sheet = add_recovery_codes(alice)
    dawdle(RecoveryCodeSet, "spend_guess")

    results = at_the_same_time(partial(use, sheet), partial(remove_factor, factor=factor))

    assert "OperationalError" not in results, dict(results)
    assert not RecoveryCodeSet.objects.exists()
    assert FactorHistory.objects.had_factor(alice)
