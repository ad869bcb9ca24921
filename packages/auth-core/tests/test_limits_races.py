"""Budgets under parallel guesses and failures of the cache."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from auth_core import limits
from auth_core.errors import TooManyAttempts
from auth_core.models import GuessBudget
from auth_core.models.guess_budget import ChargedRow, GuessBudgetManager
from auth_core.request.client import Client
from auth_core.testing.parallel import at_once, tally
from auth_core.testing.redis import OwnRedis

pytestmark = pytest.mark.django_db(transaction=True)

HERE = Client(ip="192.0.2.1", network="192.0.2.1")
EXACT = Counter({"Charge": 10, "too_many_attempts": 190})


@pytest.fixture(autouse=True)
def wide_network(settings: Any) -> None:
    budgets = {
        "login": {"identifier": (10, timedelta(minutes=15)), "network": (1_000_000, timedelta(minutes=15))},
        "answer": {"person": (10, timedelta(minutes=15))},
    }
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": budgets}


@pytest.fixture
def file_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Use an SQLite file for all threads of a test, as the processes of a small site do."""
    database = {**connections.settings["default"], "NAME": str(tmp_path / "db.sqlite3")}
    monkeypatch.setitem(connections.settings, "default", database)
    at_once([partial(call_command, "migrate", verbosity=0)])


def guess(identifier: str, number: int = 1) -> list[Any]:
    """Guess *number* times in sequence and return each charge or error."""
    return [_guess(identifier) for _guess_ in range(number)]


def _guess(identifier: str) -> Any:
    try:
        return limits.charge("login", identifier=identifier, client=HERE)
    except TooManyAttempts as refused:
        return refused


def guess_200_times(identifier: str, *, also: Callable[[], Any] | None = None) -> Counter[str]:
    """Guess five times from each of 40 connections while *also* runs in another thread."""
    tasks: list[Callable[[], Any]] = [partial(guess, identifier, 5)] * 40
    results = at_once([*tasks, also] if also else tasks)
    return tally(list(chain.from_iterable(result if isinstance(result, list) else [result] for result in results[:40])))


def restart(redis: OwnRedis) -> None:
    redis.kill()
    redis.start()


MEANWHILE: dict[str, Callable[[OwnRedis], None]] = {
    "nothing happens": lambda redis: None,
    "it is flushed": OwnRedis.flush,
    "it is stopped": OwnRedis.kill,
    "it is restarted, empty": restart,
}


@pytest.mark.postgresql
@pytest.mark.asvs("15.4.2")
@pytest.mark.asvs("2.3.4")
@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.races)])
def test_200_parallel_guesses_do_not_exceed_the_budget(rounds: int) -> None:
    for round_ in range(rounds):
        assert guess_200_times(f"person{round_}@example.org") == EXACT


@pytest.mark.postgresql
@pytest.mark.asvs("2.3.4")
@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.races)])
@pytest.mark.parametrize("what", MEANWHILE)
def test_disturbing_the_cache_does_not_raise_a_budget(what: str, rounds: int, shared: OwnRedis) -> None:
    def interfere() -> None:
        time.sleep(0.05)
        MEANWHILE[what](shared)

    for round_ in range(rounds):
        shared.kill()
        shared.start()

        assert guess_200_times(f"person{round_}@example.org", also=interfere) == EXACT


@pytest.mark.postgresql
def test_parallel_charges_lock_two_budgets_in_one_order(settings: Any) -> None:
    """Two callers that lock the rows in different orders would deadlock."""
    budgets = {
        "login": {"network": (40, timedelta(minutes=15)), "identifier": (40, timedelta(minutes=15))},
        "answer": {"person": (10, timedelta(minutes=15))},
    }
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": budgets}
    networks = [Client(ip=f"192.0.2.{number}", network=f"192.0.2.{number}") for number in range(4)]
    people = [f"person{number}@example.org" for number in range(4)]

    def charge(person: str, network: Client) -> Any:
        return [limits.charge("login", identifier=person, client=network) for _guess in range(10)]

    results = at_once([partial(charge, person, network) for person in people for network in networks])

    assert tally(list(chain.from_iterable(results))) == {"Charge": 160}
    assert set(GuessBudget.objects.values_list("used", flat=True)) == {40}


@pytest.mark.postgresql
def test_parallel_refunds_return_no_more_than_was_charged() -> None:
    charges = [charge for charge in guess("alice@example.org", 10) if isinstance(charge, limits.Charge)]

    at_once([charge.refund for charge in charges[:5]])

    assert tally(guess("alice@example.org", 10)) == {"Charge": 5, "too_many_attempts": 5}


@pytest.mark.postgresql
def test_checking_before_writing_would_exceed_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    real = GuessBudgetManager.charge

    def check_then_write(self: Any, rows: Any, *, now: Any) -> list[ChargedRow]:
        full = self.filter(pk__in=[row.key for row in rows if row.budget == 10], used__gte=10)
        if full.exists():
            return []
        return real(self, [type(row)(row.key, 10**6, row.ends_at) for row in rows], now=now)

    monkeypatch.setattr(GuessBudgetManager, "charge", check_then_write)
    admitted = [guess_200_times(f"person{round_}@example.org")["Charge"] for round_ in range(5)]

    assert max(admitted) > 10, "the planted defect must be caught"


@pytest.fixture
def expired() -> None:
    """Expired rows that were not swept yet."""
    guess("alice@example.org")
    GuessBudget.objects.update(ends_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.postgresql
def test_a_sweep_skips_a_window_that_is_being_renewed(expired: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row is locked by the charge that renews it, so the sweep must skip it and keep its count."""
    renewed, swept = threading.Event(), threading.Event()
    real = GuessBudgetManager.charge

    def slowly(self: Any, rows: Any, *, now: Any) -> list[ChargedRow]:
        charged = real(self, rows, now=now)
        renewed.set()
        assert swept.wait(20)
        return charged

    def sweep() -> int:
        assert renewed.wait(20)
        deleted = limits.delete_expired()
        swept.set()
        return deleted

    monkeypatch.setattr(GuessBudgetManager, "charge", slowly)
    charged, deleted = at_once([partial(guess, "alice@example.org"), sweep])

    assert tally(charged) == {"Charge": 1}
    assert deleted == 0
    assert list(GuessBudget.objects.values_list("used", flat=True)) == [1, 1]


@pytest.mark.sqlite
@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.races)])
def test_a_file_database_does_not_exceed_the_budget_either(rounds: int, file_database: None) -> None:
    for round_ in range(rounds):
        results = at_once([partial(guess, f"person{round_}@example.org", 5)] * 8)

        assert tally(list(chain.from_iterable(results))) == {"Charge": 10, "too_many_attempts": 30}
