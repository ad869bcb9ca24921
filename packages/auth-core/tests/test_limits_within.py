"""Budgets with further dimensions, and charges inside a transaction."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from auth_core import limits
from auth_core.errors import TooManyAttempts
from auth_core.models import GuessBudget
from auth_core.models.guess_budget import ChargedRow, ChargeRequest, GuessBudgetManager
from auth_core.request.client import Client
from auth_core.testing.parallel import at_once, tally

pytestmark = pytest.mark.django_db(transaction=True)

HERE = Client(ip="192.0.2.1", network="192.0.2.1")
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def texts_are_counted(settings: Any) -> None:
    budgets = {"sms": {"number": (3, HOUR), "prefix": (5, HOUR), "network": (100, HOUR), "everybody": (7, HOUR)}}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": budgets}


def pay(number: str = "+431", how: Callable[..., limits.Charge] = limits.charge, **changes: str) -> limits.Charge:
    return how("sms", client=HERE, **{"number": number, "prefix": "+43", "everybody": "all", **changes})


def used() -> list[int]:
    return sorted(GuessBudget.objects.values_list("used", flat=True))


class Undone(Exception):
    """The failure of a transaction for another reason."""


def test_each_dimension_of_a_use_has_its_budget(recorded_events: list[Any]) -> None:
    for number in ("+431", "+431", "+431", "+432", "+432"):
        pay(number)
    with pytest.raises(TooManyAttempts):
        pay("+433")
    for number in ("+491", "+492"):
        pay(number, prefix="+49")
    with pytest.raises(TooManyAttempts):
        pay("+331", prefix="+33")

    assert [event.data["counted"] for event in recorded_events] == ["prefix", "everybody"]


def test_an_empty_value_is_not_counted() -> None:
    pay(prefix="", everybody="")

    assert used() == [1, 1]


@pytest.mark.parametrize("how", [limits.charge, limits.charge_within])
def test_a_charge_that_counts_nothing_is_an_error(how: Callable[..., limits.Charge]) -> None:
    with pytest.raises(ValueError, match="sms"):
        how("sms", client=Client(), number="", prefix="", everybody="")

    assert used() == []


def test_a_budget_without_a_value_is_an_error() -> None:
    with pytest.raises(ValueError, match="everybody"):
        limits.charge("sms", client=HERE, number="+431", prefix="+43")

    assert used() == []


def test_a_use_without_budgets_costs_nothing() -> None:
    pay(carrier="any")

    assert used() == [1, 1, 1, 1]


def test_a_caller_cannot_pass_a_network() -> None:
    with pytest.raises(ValueError, match="network"):
        pay(network="203.0.113.1")


def test_a_charge_within_is_committed_with_its_transaction() -> None:
    with transaction.atomic():
        pay(how=limits.charge_within)

    assert used() == [1, 1, 1, 1]


def test_a_charge_within_is_rolled_back_with_its_transaction() -> None:
    with pytest.raises(Undone), transaction.atomic():
        pay(how=limits.charge_within)
        raise Undone

    assert used() == []


def test_a_separate_charge_is_refused_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        pay()


def test_a_refusal_within_charges_nothing_and_keeps_the_transaction_usable(recorded_events: list[Any]) -> None:
    for _text in range(3):
        pay()

    with transaction.atomic():
        with pytest.raises(TooManyAttempts) as refused:
            pay(how=limits.charge_within)
        pay("+432", how=limits.charge_within)

    assert refused.value.retry_after > timedelta(minutes=59)
    assert used() == [1, 3, 4, 4, 4]
    assert [event.data for event in recorded_events] == [{"use": "sms", "counted": "number"}]


def test_a_rolled_back_refusal_is_recorded_the_next_time(recorded_events: list[Any]) -> None:
    for _text in range(3):
        pay()
    with pytest.raises(TooManyAttempts), transaction.atomic():
        pay(how=limits.charge_within)
    recorded_events.clear()

    with pytest.raises(TooManyAttempts):
        pay()

    assert len(recorded_events) == 1


def test_a_charge_within_can_be_refunded_before_and_after_the_commit() -> None:
    with transaction.atomic():
        pay(how=limits.charge_within).refund()
        kept = pay(how=limits.charge_within)
    assert used() == [1, 1, 1, 1]

    kept.refund()

    assert used() == [0, 0, 0, 0]


def test_a_rolled_back_charge_is_not_refunded() -> None:
    """Others have charged the same window. A refund without a charge would refund theirs."""
    pay()
    with pytest.raises(Undone), transaction.atomic():
        undone = pay(how=limits.charge_within)
        raise Undone

    undone.refund()

    assert used() == [1, 1, 1, 1]


def test_a_charge_rolled_back_with_a_savepoint_is_not_refunded() -> None:
    pay()
    with transaction.atomic():
        with pytest.raises(Undone), transaction.atomic():
            undone = pay(how=limits.charge_within)
            raise Undone
        undone.refund()

    assert used() == [1, 1, 1, 1]


def test_without_the_check_the_charge_of_others_would_be_refunded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits._ChargeInForce, "__call__", lambda self: True)
    pay()
    with pytest.raises(Undone), transaction.atomic():
        undone = pay(how=limits.charge_within)
        raise Undone

    undone.refund()

    assert used() == [0, 0, 0, 0], "the planted defect must be caught"


def test_a_refund_is_one_statement(django_assert_num_queries: Any) -> None:
    paid = pay()

    with django_assert_num_queries(1):
        paid.refund()


@pytest.mark.postgresql
def test_parallel_charges_within_do_not_exceed_the_budget() -> None:
    def text() -> limits.Charge:
        with transaction.atomic():
            return pay(how=limits.charge_within)

    assert tally(at_once([text] * 20)) == {"Charge": 3, "too_many_attempts": 17}


def refund_during_a_charge(refund: Callable[[Any, Any], None]) -> list[Any]:
    """Create two rows in reverse physical order, and run *refund* in the middle of a charge."""
    GuessBudget.objects.all().delete()
    ends_at, window = timezone.now() + HOUR, UUID(int=1)
    for key in ("b", "a"):
        GuessBudget.objects.create(key=key, window_id=window, used=2, budget=9, ends_at=ends_at)
    has_locked, is_waiting = threading.Event(), threading.Event()

    def charge_in_two_steps() -> None:
        """Do what the single statement does, but slowly: first row ``a``, then row ``b``."""
        with transaction.atomic():
            GuessBudget.objects.charge([ChargeRequest("a", 9, ends_at)], now=timezone.now())
            has_locked.set()
            assert is_waiting.wait(10)
            GuessBudget.objects.charge([ChargeRequest("b", 9, ends_at)], now=timezone.now())

    def refund_meanwhile() -> None:
        assert has_locked.wait(10)
        timer = threading.Timer(0.3, is_waiting.set)
        timer.start()
        refund(GuessBudget.objects, [ChargedRow("a", window), ChargedRow("b", window)])

    return at_once([charge_in_two_steps, refund_meanwhile])


@pytest.mark.postgresql
def test_a_refund_locks_in_the_order_of_a_charge() -> None:
    results = refund_during_a_charge(GuessBudgetManager.refund)

    assert results == [None, None]
    assert set(GuessBudget.objects.values_list("used", flat=True)) == {2}


@pytest.mark.postgresql
def test_a_refund_in_table_order_would_deadlock() -> None:
    def as_they_lie(self: Any, charged: Any) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            # With statistics PostgreSQL may scan the index, which has the order of the charges.
            cursor.execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off")
            cursor.execute("UPDATE auth_core_guessbudget SET used = used - 1 WHERE key IN ('a', 'b')")

    results = refund_during_a_charge(as_they_lie)

    assert "OperationalError" in tally(results), "the planted defect must be caught"


@pytest.mark.postgresql
def test_a_refund_does_not_change_a_window_that_began_while_it_waited() -> None:
    pay()
    rows = list(GuessBudget.objects.all())
    has_locked, is_waiting = threading.Event(), threading.Event()

    def renew() -> None:
        with transaction.atomic():
            GuessBudget.objects.update(window_id=UUID(int=2), used=1)
            has_locked.set()
            assert is_waiting.wait(10)

    def refund() -> None:
        assert has_locked.wait(10)
        threading.Timer(0.3, is_waiting.set).start()
        GuessBudget.objects.refund([ChargedRow(row.pk, row.window_id) for row in rows])

    assert at_once([renew, refund]) == [None, None]
    assert used() == [1, 1, 1, 1]
