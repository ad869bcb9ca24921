"""Two concurrent removals never leave a user without a required factor."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections

from auth_core.testing.parallel import at_once, one_winner, tally
from auth_mfa import factors
from auth_mfa.factors import factors_of, remove_own_factor
from auth_mfa.models import Factor, FactorHistory
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import add_totp

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

ROUNDS = pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.races)])


def two_apps(user: User) -> list[Factor]:
    return [add_totp(user, key=key, name=key.decode()) for key in (b"the first of both key", b"the other of both key")]


def app_and_key(user: User) -> list[Factor]:
    return [add_totp(user), Authenticator(discoverable=False).added_to(user).factor]


def two_passkeys(user: User) -> list[Factor]:
    return [Authenticator().added_to(user).factor for _key in range(2)]


def removals(user: User, add: Callable[[User], list[Factor]]) -> list[Callable[[], Any]]:
    """Return one removal for each of two new factors."""
    for model in factors.MODELS:
        model.objects.all().delete()
    return [partial(remove_own_factor, factor=factor) for factor in add(user)]


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait between the look at the other factors and the removal, so that both would have check."""
    check = factors._is_last_that_counts

    def check_and_wait(factor: Factor, others: Any) -> bool:
        is_last = check(factor, others)
        time.sleep(0.1)
        return is_last

    monkeypatch.setattr(factors, "_is_last_that_counts", check_and_wait)


@ROUNDS
@pytest.mark.usefixtures("slowly")
@pytest.mark.parametrize("add", [two_apps, app_and_key])
def test_two_concurrent_removals_leave_a_required_factor(add: Any, rounds: int, alice: User, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}

    results = one_winner(lambda _number: removals(alice, add), refusal={"last_factor"}, rounds=rounds)
    print("removals", dict(results))

    assert results == {"True": rounds, "last_factor": rounds}
    assert len(factors_of(alice)) == 1


@ROUNDS
@pytest.mark.usefixtures("slowly")
def test_two_concurrent_removals_leave_a_passkey_without_a_password(rounds: int, alice: User) -> None:
    alice.set_unusable_password()
    alice.save()

    results = one_winner(lambda _number: removals(alice, two_passkeys), refusal={"last_factor"}, rounds=rounds)
    print("passkeys", dict(results))

    assert results == {"True": rounds, "last_factor": rounds}


@pytest.mark.usefixtures("slowly")
def test_removals_without_the_lock_would_leave_nothing(
    alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}
    right = type(FactorHistory.objects).lock

    def lock_late(manager: Any, user: Any) -> Any:
        if not connections["default"].in_atomic_block or len(connections["default"].savepoint_ids) == 0:
            return None
        return right(manager, user)

    monkeypatch.setattr(type(FactorHistory.objects), "lock", lock_late)

    results = tally(at_once(removals(alice, two_apps)))

    assert results == {"True": 2}, "the planted defect must be seen"
    assert factors_of(alice) == []
