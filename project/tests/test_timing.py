"""Refusals for unknown, wrong, disabled and locked take the same time: two one-sided equivalence tests."""

import random
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from auth_core.flows.account_creation import create_account
from auth_core.testing.browsers import log_in
from auth_core.testing.factories import PASSWORD

pytestmark = [pytest.mark.timing, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

SAMPLES = 200
CASES = ("unknown", "wrong", "disabled", "locked")

#: The minimum difference in seconds, or a twentieth of the hash if that is more.
LEAST_MARGIN = 0.003

#: Critical value of a t-distribution with this many degrees of freedom, for an error of 5 % on each side.
CRITICAL = 1.65


@pytest.fixture
def people(settings: Any, transactional_db: None) -> None:
    settings.PASSWORD_HASHERS = ["auth_core.hashers.Argon2idHasher"]
    settings.AUTH_CORE = {
        **{k: v for k, v in settings.AUTH_CORE.items() if not k.startswith("PASSWORD_")},
        "BUDGETS": {
            name: {what: (10**6, timedelta(minutes=15)) for what in ("identifier", "network", "person")}
            for name in ("login", "answer")
        },
    }
    for case in CASES[1:]:
        user = create_account(email=f"{case}@example.org", password=PASSWORD, verified=True)
        if case == "disabled":
            user.is_active = False
            user.save()
        if case == "locked":
            user.auth_identity.locked_at = timezone.now()
            user.auth_identity.save()


def measure(browser: Browser, case: str) -> float:
    password = PASSWORD if case in ("disabled", "locked") else "not the password at all"
    began = time.perf_counter()
    answer = log_in(browser, identifier=f"{case}@example.org", password=password, transport="token")
    took = time.perf_counter() - began
    assert answer.status_code == 401
    return took


def sample(before: Callable[[str], None] = lambda case: None) -> dict[str, list[float]]:
    """Measure every case `SAMPLES` times in random order, so a slow minute affects all cases."""
    browser = Browser()
    for case in CASES:
        measure(browser, case)
    order = list(CASES) * SAMPLES
    random.shuffle(order)
    times: dict[str, list[float]] = {case: [] for case in CASES}
    for case in order:
        began = time.perf_counter()
        before(case)
        extra = time.perf_counter() - began
        times[case].append(measure(browser, case) + extra)
    return times


def trimmed(values: list[float]) -> list[float]:
    """Drop the slowest tenth, which contains interruptions of the machine."""
    return sorted(values)[: int(len(values) * 0.9)]


def are_equivalent(first: list[float], second: list[float], margin: float) -> bool:
    """Return whether two means differ by less than *margin*, by two one-sided tests."""
    a, b = trimmed(first), trimmed(second)
    difference = statistics.fmean(a) - statistics.fmean(b)
    error = (statistics.variance(a) / len(a) + statistics.variance(b) / len(b)) ** 0.5
    return (margin - abs(difference)) / error > CRITICAL


def report(times: dict[str, list[float]], margin: float) -> None:
    shown = ", ".join(f"{case} {statistics.fmean(trimmed(values)) * 1000:.2f} ms" for case, values in times.items())
    print(f"\n{shown}; margin {margin * 1000:.2f} ms")


def test_all_refusals_take_the_same_time(people: None) -> None:
    times = sample()
    margin = max(LEAST_MARGIN, statistics.fmean(times["wrong"]) / 20)

    report(times, margin)
    assert all(are_equivalent(times["wrong"], times[case], margin) for case in CASES)


def test_a_planted_sleep_of_5_ms_is_detected(people: None) -> None:
    times = sample(lambda case: time.sleep(0.005) if case == "disabled" else None)
    margin = max(LEAST_MARGIN, statistics.fmean(times["wrong"]) / 20)

    report(times, margin)
    assert not are_equivalent(times["wrong"], times["disabled"], margin)
    assert are_equivalent(times["wrong"], times["unknown"], margin)
