"""Budgets of guesses."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from auth_core import limits
from auth_core.errors import TooManyAttempts
from auth_core.models import GuessBudget
from auth_core.request.client import Client
from auth_core.runtime.redis_cache import CacheLost, shared_cache
from auth_core.testing.parallel import tally
from auth_core.testing.redis import OwnRedis

pytestmark = pytest.mark.django_db(transaction=True)

HERE = Client(ip="192.0.2.1", network="192.0.2.1")


@pytest.fixture(autouse=True)
def wide_network(settings: Any) -> None:
    budgets = {
        "login": {"identifier": (10, timedelta(minutes=15)), "network": (1000, timedelta(minutes=15))},
        "answer": {"person": (10, timedelta(minutes=15))},
    }
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": budgets}


def charge(identifier: str = "alice@example.org", client: Client = HERE) -> limits.Charge:
    return limits.charge("login", identifier=identifier, client=client)


def spend(times: int = 10) -> None:
    for _guess in range(times):
        charge()


@pytest.mark.asvs("2.3.2")
def test_guesses_are_limited_to_the_budget() -> None:
    spend()

    with pytest.raises(TooManyAttempts) as refused:
        charge()

    assert timedelta(minutes=14) < refused.value.retry_after <= timedelta(minutes=15)


def test_the_next_window_has_its_own_count() -> None:
    spend()

    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1), tick=False):
        spend()
        with pytest.raises(TooManyAttempts):
            charge()


def test_a_refund_returns_one_guess_once() -> None:
    spend(9)
    last = charge()

    last.refund()
    last.refund()

    charge()
    with pytest.raises(TooManyAttempts):
        charge()


def test_a_count_includes_charges_without_a_refund() -> None:
    for _guess in range(3):
        limits.charge("login", client=Client(), identifier="alice@example.org")
    limits.charge("login", client=Client(), identifier="alice@example.org").refund()

    assert limits.spent("login", identifier=" Alice@Example.ORG".strip()) == 3
    assert limits.spent("login", identifier="bob@example.org") == 0


def test_a_refund_does_not_change_another_window() -> None:
    old = charge()

    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        spend()
        old.refund()
        with pytest.raises(TooManyAttempts):
            charge()


def test_a_charge_counts_for_all_budgets_or_none(settings: Any) -> None:
    spend()

    with pytest.raises(TooManyAttempts):
        charge()

    assert sorted(GuessBudget.objects.values_list("used", flat=True)) == [10, 10]


@pytest.mark.parametrize(
    "spelling", ["Alice@Example.org", "ALICE@EXAMPLE.ORG", " alice@example.org ", "\uff41lice@example.org"]
)
def test_another_spelling_uses_the_same_budget(spelling: str) -> None:
    spend()

    with pytest.raises(TooManyAttempts):
        charge(spelling)


def test_one_network_is_counted_over_all_identifiers(settings: Any) -> None:
    budgets = {"login": {"identifier": (10, timedelta(minutes=1)), "network": (5, timedelta(minutes=1))}}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": budgets}
    for number in range(5):
        charge(f"person{number}@example.org")

    with pytest.raises(TooManyAttempts):
        charge("another@example.org")


def test_an_unknown_network_is_not_counted() -> None:
    charge(client=Client())

    assert GuessBudget.objects.count() == 1


def test_a_guess_without_a_counted_dimension_is_an_error() -> None:
    with pytest.raises(ValueError, match="answer"):
        limits.charge("answer", client=HERE)


def test_a_reduced_budget_refuses(settings: Any, recorded_events: list[Any]) -> None:
    spend(5)
    smaller = {"login": {"identifier": (3, timedelta(minutes=15))}}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": smaller}

    with pytest.raises(TooManyAttempts) as refused:
        charge()

    assert refused.value.retry_after > timedelta(minutes=14)
    assert len(recorded_events) == 1


def test_the_typed_identifier_is_not_stored() -> None:
    charge("hunter2hunter2")

    assert "hunter2" not in str(list(GuessBudget.objects.values()))


def test_a_refusal_is_recorded_once_per_window(recorded_events: list[Any]) -> None:
    spend()

    for _guess in range(5):
        with pytest.raises(TooManyAttempts):
            charge()

    assert [(event.name.value, dict(event.data)) for event in recorded_events] == [
        ("auth.limit.refused", {"use": "login", "counted": "identifier"})
    ]


def test_expired_rows_are_swept() -> None:
    charge()

    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        assert limits.delete_expired() == 2


def test_the_cache_refuses_without_a_query(shared: OwnRedis, django_assert_num_queries: Any) -> None:
    spend()
    with pytest.raises(TooManyAttempts):
        charge()

    with django_assert_num_queries(0), pytest.raises(TooManyAttempts):
        charge()


def test_a_refund_has_effect_despite_a_cached_refusal(shared: OwnRedis) -> None:
    spend(9)
    last = charge()
    with pytest.raises(TooManyAttempts):
        charge()

    last.refund()

    charge()


LOSSES: dict[str, Callable[[OwnRedis], None]] = {
    "stopped": OwnRedis.kill,
    "flushed": OwnRedis.flush,
    "restarted empty": lambda server: (server.kill(), server.start())[0],
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_lost_cache_does_not_raise_a_budget(loss: str, shared: OwnRedis) -> None:
    spend(7)

    LOSSES[loss](shared)

    assert tally([_try() for _guess in range(20)]) == {"Charge": 3, "too_many_attempts": 17}


def test_a_wrong_cache_does_not_raise_a_budget(shared: OwnRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = shared_cache(shared.url)
    monkeypatch.setattr(type(cache), "get_many", lambda self, keys: [None] * len(keys))

    assert tally([_try() for _guess in range(20)]) == {"Charge": 10, "too_many_attempts": 10}


@pytest.mark.parametrize("value", [b"", b"garbage", b"nan", b"1e99", b"\xff", b"0"])
def test_foreign_values_in_the_cache_refuse_no_guess(value: bytes, shared: OwnRedis) -> None:
    paid = charge()
    cache = shared_cache(shared.url)
    assert cache is not None
    for row in paid.charged:
        cache.put(f"refused:{row.key}", value, ttl=timedelta(minutes=1))

    assert tally([_try()]) == {"Charge": 1}


def test_a_lost_cache_fails_fast_after_a_few_failures(shared: OwnRedis) -> None:
    shared.kill()
    cache = shared_cache(shared.url)
    assert cache is not None

    for _attempt in range(10):
        with pytest.raises(CacheLost):
            cache.ping()


@pytest.mark.sqlite
def test_a_charge_is_one_statement_in_one_transaction(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3) as queries:
        charge()

    assert [query["sql"].split()[0] for query in queries.captured_queries] == ["BEGIN", "INSERT", "COMMIT"]
    assert connection.vendor == "sqlite"


def _try(identifier: str = "alice@example.org") -> Any:
    try:
        return charge(identifier)
    except TooManyAttempts as refused:
        return refused
