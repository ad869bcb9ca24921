"""Parallel requests against one pending login result in one grant."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.models import PendingLogin
from auth_core.testing.browsers import answer
from auth_core.testing.doubles import RIGHT_CODE
from auth_core.testing.parallel import at_once, one_winner, tally
from auth_core.testing.sessions import begin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture
def second_factor(settings: Any, second_factor: None) -> None:
    """A second factor with a budget for fifty answers."""
    settings.AUTH_CORE = {
        **settings.AUTH_CORE,
        "PENDING_LOGIN_ATTEMPTS": 100,
        "BUDGETS": {"answer": {"person": (1_000_000, timedelta(minutes=15))}},
    }


@pytest.mark.asvs("2.3.4")
@pytest.mark.asvs("15.4.2")
def test_one_of_50_parallel_correct_answers_is_granted(second_factor: None, alice: Any) -> None:
    def tasks(number: int) -> list[Callable[[], Any]]:
        token = begin(alice).token
        return [partial(answer, Browser(), token, code=RIGHT_CODE) for _answer in range(50)]

    assert one_winner(tasks, refusal={"login_expired"}) == {"200": 20, "login_expired": 49 * 20}


def test_attempts_are_charged_before_the_answer_is_checked(second_factor: None, alice: Any, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PENDING_LOGIN_ATTEMPTS": 5}
    token = begin(alice).token

    guesses = [partial(answer, Browser(), token, code="000000") for _guess in range(50)]

    assert tally(at_once(guesses)) == {"challenge_failed": 5, "login_expired": 45}


def test_closing_without_the_condition_would_grant_twice(
    second_factor: None, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_then_write(self: PendingLogin) -> None:
        is_open = PendingLogin.objects.filter(pk=self.pk, closed_at=None).exists()
        time.sleep(0.05)
        if is_open:
            PendingLogin.objects.filter(pk=self.pk).update(closed_at=self.created_at)

    monkeypatch.setattr(PendingLogin, "close", check_then_write)
    token = begin(alice).token

    results = tally(at_once([partial(answer, Browser(), token, code=RIGHT_CODE) for _answer in range(20)]))

    assert results["200"] > 1, "the planted defect must be caught"
