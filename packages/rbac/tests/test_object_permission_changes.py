"""Grants and withdrawals of object permissions: recorded once, also concurrently."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from guardian.shortcuts import assign_perm

from auth_core.testing.parallel import ROUNDS, one_winner
from auth_rbac.decisions.decisions import check
from auth_rbac.objects import grants
from auth_rbac.objects.grants import permit, withdraw
from conftest import again, permission
from object_permission_lists import rows
from shop.models import Order

pytestmark = pytest.mark.django_db

Manager = Callable[..., User]


def test_repeated_grants_and_withdrawals_are_recorded_once(alice: User, recorded_events: list[Any]) -> None:
    order, instance = Order.objects.create(), again(alice)
    assert not check(instance, "view", order)

    assert [permit(holder=instance, permission="view", obj=order) for _n in range(2)] == [True, False]
    assert check(instance, "view", order), "the instance of the holder reads the versions again"
    assert [withdraw(holder=instance, permission="view", obj=order) for _n in range(2)] == [True, False]

    assert not check(instance, "view", order)
    assert len(recorded_events) == 2


def test_assign_perm_and_permit_write_the_same_row(alice: User) -> None:
    order = Order.objects.create()
    assign_perm("shop.view_order", alice, order)

    assert not permit(holder=alice, permission="view", obj=order)
    assert withdraw(holder=alice, permission="view", obj=order)
    assert rows() == 0


def give_at_once(number: int) -> list[Any]:
    """Return four concurrent grants of the same permission to the same person, two of them by the site itself."""
    order, roots = (
        Order.objects.create(),
        [None, None, *(User.objects.create_superuser(f"root {number} {n}") for n in "ab")],
    )
    person = User.objects.create_user(f"person {number}")
    return [lambda root=root: permit(holder=person, permission="view", obj=order, actor=root) for root in roots]  # type: ignore[misc]  # the type of a default argument is not inferred


def take_at_once(number: int) -> list[Any]:
    """Return four concurrent withdrawals of the same permission from the same person, one of them by the site itself."""
    order, roots = Order.objects.create(), [None, *(User.objects.create_superuser(f"root {number} {n}") for n in "abc")]
    person = User.objects.create_user(f"person {number}")
    permit(holder=person, permission="view", obj=order)
    return [lambda root=root: withdraw(holder=person, permission="view", obj=order, actor=root) for root in roots]  # type: ignore[misc]  # as above


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("race", [give_at_once, take_at_once])
@pytest.mark.parametrize("rounds", [4, pytest.param(ROUNDS, marks=pytest.mark.races)])
def test_of_four_concurrent_changes_one_succeeds(race: Any, rounds: int) -> None:
    one_winner(race, refusal={"False"}, rounds=rounds)


def ask_first(number: int) -> list[Any]:
    """Return four concurrent acts that check for a permission and then grant it."""
    order, person = Order.objects.create(), User.objects.create_user(f"person {number}")
    view = permission("shop.view_order")

    def give() -> bool:
        return not grants.grant_rows(person, view, order).exists() and assign_perm(view, person, order) is not None

    return [give] * 4


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_check_then_grant_is_a_race_and_the_test_detects_it() -> None:
    with pytest.raises(AssertionError, match=r"\d won"):
        one_winner(ask_first, refusal={"False"}, rounds=60)
