"""Concurrent codes: each works once, and the guess budget holds."""

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.models import GuessBudget, PendingLogin
from auth_core.testing.browsers import answer
from auth_core.testing.parallel import at_once, one_winner, tally
from auth_core.testing.redis import OwnRedis
from auth_core.testing.sessions import begin
from auth_mfa import oath
from auth_mfa.models import TotpFactor
from auth_mfa.testing.factors import add_totp, current_code

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

ROUNDS = pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.races)])


@ROUNDS
@pytest.mark.asvs("6.5.1")
@pytest.mark.asvs("2.3.4")
def test_of_50_concurrent_logins_with_one_code_one_is_granted(
    rounds: int, unlimited_guesses: None, alice: User
) -> None:
    factor = add_totp(alice)

    def tasks(number: int) -> list[Callable[[], Any]]:
        TotpFactor.objects.update(last_step=-1, failures=0)
        tokens = [begin(alice).token for _login in range(50)]
        code = oath.code_at(factor.key, oath.step_at(time.time()))
        return [partial(answer, Browser(), token, code=code) for token in tokens]

    results = one_winner(tasks, refusal={"challenge_failed"}, rounds=rounds)
    print("TOTP", dict(results))

    assert results == {"200": rounds, "challenge_failed": 49 * rounds}


def test_a_step_checked_before_it_is_spent_would_work_twice(
    unlimited_guesses: None, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_then_write(self: TotpFactor, step: int) -> bool:
        unspent = TotpFactor.objects.filter(pk=self.pk, last_step__lt=step).exists()
        time.sleep(0.2)
        return unspent and TotpFactor.objects.filter(pk=self.pk).update(last_step=step) == 1

    # Charging the guess locks the row and would hide the defect.
    monkeypatch.setattr(TotpFactor, "spend_guess", lambda _self: True)
    monkeypatch.setattr(TotpFactor, "spend_step", look_then_write)
    add_totp(alice)
    tokens = [begin(alice).token for _login in range(20)]

    results = tally(at_once([partial(answer, Browser(), token, code=current_code()) for token in tokens]))

    assert results["200"] > 1, "the planted defect must be seen"


@pytest.fixture(params=["running", "stopped", "flushed", "killed"])
def redis_that(request: pytest.FixtureRequest, shared: OwnRedis) -> tuple[str, OwnRedis]:
    """A shared cache that works or fails."""
    return request.param, shared


@pytest.mark.asvs("6.3.1")
def test_200_wrong_codes_over_20_logins_are_limited_to_ten(
    redis_that: tuple[str, OwnRedis], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    fate, server = redis_that
    evaluated: list[str] = []
    right = TotpFactor.step_of

    def counting(self: TotpFactor, code: str) -> int | None:
        evaluated.append(code)
        return right(self, code)

    monkeypatch.setattr(TotpFactor, "step_of", counting)
    add_totp(alice)
    good = {current_code(steps=steps) for steps in (-1, 0, 1)}
    wrong = next(code for code in ("000000", "000001", "000002", "000003") if code not in good)
    tokens = [begin(alice).token for _login in range(20)]
    PendingLogin.objects.update(attempts_left=100)
    if fate == "stopped":
        server.pause()

    results: Counter[str] = Counter()
    for batch in range(5):
        if batch == 2 and fate == "flushed":
            server.flush()
        elif batch == 2 and fate == "killed":
            server.kill()
        # Two answers to each of the twenty logins, with forty concurrent connections.
        results += tally(
            at_once([partial(answer, Browser(), token, code=wrong) for token in tokens for _guess in range(2)])
        )
    if fate == "stopped":
        server.go_on()
    print("wrong codes", fate, dict(results), "evaluated", len(evaluated))

    assert results == {"challenge_failed": 10, "too_many_attempts": 190}
    assert len(evaluated) == 10
    assert GuessBudget.objects.count() == 1
