"""Concurrent answers with sent codes and recovery codes: each code works once, and the guess budget holds."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.assurance.methods import Method
from auth_core.models import GuessBudget, PendingLogin
from auth_core.testing.browsers import answer, post
from auth_core.testing.parallel import at_once, one_winner, tally
from auth_core.testing.sessions import begin
from auth_mfa import answer_check
from auth_mfa.messages import login as message_kinds
from auth_mfa.models import PhoneFactor, RecoveryCode, RecoveryCodeSet, SentCode
from auth_mfa.models.sent_code import code_of
from auth_mfa.recovery import recovery_codes
from auth_mfa.testing.factors import add_mailbox, add_phone, add_recovery_codes, add_totp

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
    pytest.mark.usefixtures("captured_texts"),
]

ROUNDS = pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.races)])
_MANY = (1_000_000, timedelta(minutes=15))


@pytest.fixture
def only_spent_codes_refuse(settings: Any, unlimited_guesses: None) -> None:
    """Raise the other limits of a login as well."""
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PENDING_LOGIN_ATTEMPTS": 100}
    settings.AUTH_MFA = {"SMS_BREAKER": (1_000_000, 0.0, timedelta(hours=1)), "MAX_FAILURES": 10_000}


def begin_with(user: User, factor: Any) -> PendingLogin:
    """Return a login that lacks its second factor and has chosen *factor*. No code is sent yet."""
    login = begin(user)
    login.remember_choice(str(factor.pk))
    return login


def send_code(login: PendingLogin, factor: Any) -> str:
    """Send the code of *login* and return it."""
    post(Browser(), "login/challenge", token=login.token, choice=str(factor.pk))
    sent = code_of(occasion=login.pk, factor_id=factor.pk)
    assert sent is not None
    return sent.code


def answer_with(login: PendingLogin, code: str) -> Any:
    return answer(Browser(), login.token, code=code)


@ROUNDS
@pytest.mark.asvs("6.5.1")
@pytest.mark.asvs("6.6.2")
@pytest.mark.parametrize("add", [add_phone, add_mailbox])
def test_of_50_logins_only_the_one_that_sent_the_code_is_granted(
    add: Any, rounds: int, only_spent_codes_refuse: None, alice: User
) -> None:
    factor = add(alice)

    def tasks(number: int) -> list[Callable[[], Any]]:
        logins = [begin_with(alice, factor) for _login in range(50)]
        codes = [send_code(login, factor) for login in logins]
        # Two codes may have the same six digits, once in a thousand rounds.
        mine = next(code for code in codes if codes.count(code) == 1)
        return [partial(answer_with, login, mine) for login in logins]

    results = one_winner(tasks, refusal={"challenge_failed"}, rounds=rounds)
    print(factor.method.value, dict(results))

    assert results == {"200": rounds, "challenge_failed": 49 * rounds}


@ROUNDS
@pytest.mark.asvs("2.3.4")
def test_of_50_concurrent_answers_with_a_sent_code_one_is_granted(
    rounds: int, only_spent_codes_refuse: None, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    factor = add_phone(alice)

    def tasks(number: int) -> list[Callable[[], Any]]:
        login = begin_with(alice, factor)
        code = send_code(login, factor)
        SentCode.objects.update(guesses_left=1000)
        return [partial(answer_with, login, code) for _answer in range(50)]

    results = one_winner(tasks, refusal={"challenge_failed", "login_expired"}, rounds=rounds)
    print("one login", dict(results))

    assert results["200"] == rounds


def test_a_sent_code_checked_before_it_is_spent_would_work_twice(
    only_spent_codes_refuse: None, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_then_write(self: SentCode) -> bool:
        unspent = SentCode.objects.filter(pk=self.pk, spent_at=None).exists()
        time.sleep(0.2)
        return unspent

    good: list[str] = []
    right = message_kinds.check_code

    def counting(sent: SentCode | None, code: str) -> str:
        reason = right(sent, code)
        good.extend([] if reason else [code])
        return reason

    # Charging the guess locks the rows and would hide the defect.
    monkeypatch.setattr(PhoneFactor, "spend_guess", lambda _self: True)
    monkeypatch.setattr(SentCode, "spend_guess", lambda _self: True)
    monkeypatch.setattr(SentCode, "spend", look_then_write)
    monkeypatch.setattr(message_kinds, "check_code", counting)
    factor = add_phone(alice)
    login = begin_with(alice, factor)
    code = send_code(login, factor)

    at_once([partial(answer_with, login, code) for _answer in range(20)])

    assert len(good) > 1, "the planted defect must be seen"


@ROUNDS
@pytest.mark.asvs("6.5.1")
def test_of_50_concurrent_logins_with_a_recovery_code_one_is_granted(
    rounds: int, only_spent_codes_refuse: None, alice: User
) -> None:
    add_totp(alice)
    sheets = []

    def tasks(number: int) -> list[Callable[[], Any]]:
        sheet = add_recovery_codes(alice)
        sheets.append(sheet)
        logins = [begin_with(alice, sheet.factor) for _login in range(50)]
        return [partial(answer_with, login, sheet.codes[0]) for login in logins]

    results = one_winner(tasks, refusal={"challenge_failed"}, rounds=rounds)
    print("recovery code", dict(results))

    assert results == {"200": rounds, "challenge_failed": 49 * rounds}
    assert RecoveryCodeSet.objects.get().left == 9


def test_a_recovery_code_checked_before_it_is_spent_would_work_twice(
    only_spent_codes_refuse: None, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_then_write(self: RecoveryCodeSet, digest: str) -> bool:
        unspent = RecoveryCode.objects.filter(sheet=self, digest=digest, spent_at=None).exists()
        time.sleep(0.2)
        return unspent

    monkeypatch.setattr(RecoveryCodeSet, "spend_guess", lambda _self: True)
    monkeypatch.setattr(RecoveryCodeSet, "spend_code", look_then_write)
    add_totp(alice)
    sheet = add_recovery_codes(alice)
    logins = [begin_with(alice, sheet.factor) for _login in range(20)]

    results = tally(at_once([partial(answer_with, login, sheet.codes[0]) for login in logins]))

    assert results["200"] > 1, "the planted defect must be seen"


@pytest.mark.asvs("6.3.1")
def test_200_wrong_guesses_over_methods_and_logins_are_limited_to_ten(
    alice: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.AUTH_CORE = {
        **settings.AUTH_CORE,
        "PENDING_LOGIN_ATTEMPTS": 100,
        "BUDGETS": {"sms": {"number": _MANY}, "code": {"destination": _MANY}},
    }
    evaluated: list[str] = []
    right = answer_check.check_answer

    def counting(factor: Any, check: Callable[[], str]) -> None:
        evaluated.append(factor.method.value)
        right(factor, check)

    for module in ("totp.login", "messages.login", "recovery.login"):
        monkeypatch.setattr(f"auth_mfa.{module}.check_answer", counting)
    factors = [add_totp(alice), add_phone(alice), add_mailbox(alice), add_recovery_codes(alice).factor]
    logins = [(begin_with(alice, factor), factor) for factor in factors for _login in range(5)]
    guesses = [partial(answer_with, login, _wrong(login, factor)) for login, factor in logins]

    results: Counter[str] = Counter()
    for _batch in range(5):
        # Two answers to each of the twenty logins, with forty concurrent connections.
        results += tally(at_once([guess for guess in guesses for _twice in range(2)]))
    print("spread over methods", dict(results), "evaluated", dict(Counter(evaluated)))

    assert results == {"challenge_failed": 10, "too_many_attempts": 190}
    assert len(evaluated) == 10
    assert GuessBudget.objects.filter(budget=10).count() == 1


def _wrong(login: PendingLogin, factor: Any) -> str:
    if factor.method is Method.RECOVERY_CODE:
        return recovery_codes.new_code()
    if factor.method is Method.TOTP:
        good = {factor.step_of(code) for code in ("000000", "000001")}
        return "000000" if good == {None} else "000002"
    return f"{(int(send_code(login, factor)) + 1) % 1_000_000:06}"
