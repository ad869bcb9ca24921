"""Budgets of known devices: they are charged instead of those of strangers."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet

from auth_core import limits, registries
from auth_core.errors import TooManyAttempts
from auth_core.models import GuessBudget
from auth_core.request.client import Client
from auth_core.testing.parallel import tally
from auth_core.testing.redis import OwnRedis

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
ALICE = "alice@example.org"
STRANGER = Client(ip="192.0.2.1", network="192.0.2.1")
#: A browser that has completed a login of everybody whom `devices_are_known` recognises.
KNOWN = Client(ip="192.0.2.2", network="192.0.2.2", device_credential="known")
UNKNOWN = Client(ip="192.0.2.3", network="192.0.2.3", device_credential="another")
BUDGETS = {
    "login": {"network": (1000, HOUR), "identifier": (3, HOUR), "device": (2, HOUR), "identifier_total": (50, HOUR)},
    "link": {"identifier": (3, HOUR), "network": (1000, HOUR)},
}


@pytest.fixture(autouse=True)
def devices_are_known(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recognise the credential ``known``. The row of the person serves as the row of the device."""

    def recognise(client: Client, people: QuerySet[Any]) -> QuerySet[Any]:
        return people if client.device_credential == "known" else people.filter(password="")

    monkeypatch.setattr(registries.known_devices, "_entries", {"test": recognise})
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": BUDGETS}


def guess(client: Client = KNOWN, use: str = "login", **counted: Any) -> limits.Charge:
    return limits.charge(use, client=client, **{"identifier": ALICE, **counted})


def spend(client: Client = STRANGER, times: int = 3, **counted: Any) -> None:
    for _guess in range(times):
        guess(client, **counted)


def results(client: Client = KNOWN, times: int = 4, **counted: Any) -> dict[str, int]:
    def tried() -> Any:
        try:
            return guess(client, **counted)
        except TooManyAttempts as refused:
            return refused

    return tally([tried() for _guess in range(times)])


def test_a_known_device_has_a_budget_of_its_own(alice: Any, recorded_events: list[Any]) -> None:
    spend()
    assert results(STRANGER, 1) == results(UNKNOWN, 1) == {"too_many_attempts": 1}
    recorded_events.clear()

    assert results() == {"Charge": 2, "too_many_attempts": 2}
    assert [dict(event.data) for event in recorded_events] == [{"use": "login", "counted": "device"}]


def test_the_wait_of_a_known_device_is_that_of_its_budget(alice: Any) -> None:
    spend(KNOWN, 2)

    for _remembered in range(2):
        with pytest.raises(TooManyAttempts) as refused:
            guess()
        assert timedelta(minutes=59) < refused.value.retry_after <= HOUR


def test_a_refusal_of_a_known_device_is_remembered_for_it_alone(
    alice: Any, shared: OwnRedis, django_assert_num_queries: Any
) -> None:
    spend(KNOWN, 2)
    assert results(times=1) == {"too_many_attempts": 1}

    with django_assert_num_queries(0):
        assert results(times=1) == {"too_many_attempts": 1}
    assert results(UNKNOWN, 1) == results(STRANGER, 1) == {"Charge": 1}


def test_a_known_device_takes_no_guess_from_strangers(alice: Any) -> None:
    spend(KNOWN, 2)

    assert results(STRANGER) == {"Charge": 3, "too_many_attempts": 1}


def test_the_devices_of_the_named_person_count_whatever_was_typed(alice: Any) -> None:
    spend(identifier="nobody@example.org")

    assert results(identifier="nobody@example.org") == {"too_many_attempts": 4}
    assert results(identifier="nobody@example.org", known_to=alice.pk) == {"Charge": 2, "too_many_attempts": 2}


def test_a_use_without_device_budgets_does_not_ask_for_the_device(alice: Any) -> None:
    assert results(use="link") == {"Charge": 3, "too_many_attempts": 1}


def test_a_client_without_a_credential_is_a_stranger(alice: Any) -> None:
    spend(STRANGER)

    assert results(Client(network="192.0.2.9")) == {"too_many_attempts": 4}


@pytest.mark.parametrize("keep", [limits.Charge.keep_counts, limits.Charge.refund], ids=["kept", "refunded"])
@pytest.mark.parametrize(
    ("client", "strangers", "own"),
    [(STRANGER, 2, 0), (UNKNOWN, 2, 0), (KNOWN, 2, 1), (KNOWN, 0, 1)],
    ids=["stranger", "unknown device", "known device", "known device alone"],
)
def test_the_counts_of_a_charge_are_read_without_a_query(
    keep: Callable[..., None],
    client: Client,
    strangers: int,
    own: int,
    alice: Any,
    django_assert_num_queries: Any,
) -> None:
    """The failures of strangers and of this browser count, the guess itself does not."""
    spend(times=strangers)
    spend(KNOWN, own)
    keep(guess(client), user=alice)

    with django_assert_num_queries(0):
        assert limits.take_spent("login", identifier=ALICE, user=alice) == strangers + own
    with django_assert_num_queries(1):
        assert limits.take_spent("login", identifier=ALICE, user=alice) >= strangers


def test_a_budget_that_ended_does_not_count_beside_a_known_device(alice: Any, clock: Any) -> None:
    spend(times=2)
    clock.forward(seconds=HOUR.total_seconds() + 1)

    guess().keep_counts(user=alice)

    assert limits.take_spent("login", identifier=ALICE, user=alice) == 0


def test_a_key_is_an_hmac_of_256_bits(alice: Any) -> None:
    guess(STRANGER)

    assert {len(key) for key in GuessBudget.objects.values_list("pk", flat=True)} == {64}


def test_a_charge_shows_only_its_rows() -> None:
    paid = guess(STRANGER)

    assert repr(paid) == f"Charge(charged={paid.charged!r})"


@pytest.mark.parametrize("is_durable", [True, False])
def test_a_budget_that_was_refunded_meanwhile_asks_for_a_wait_of_a_second(
    is_durable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The charge was refused, and when the rows are read for the wait, none is used up."""
    monkeypatch.setattr(limits._ChargePlan, "is_paid_by", lambda self, charged: False)

    with pytest.raises(TooManyAttempts) as refused:
        if is_durable:
            guess(STRANGER)
        else:
            with transaction.atomic():
                limits.charge_within("login", client=STRANGER, identifier=ALICE)

    assert refused.value.retry_after == timedelta(seconds=1)
