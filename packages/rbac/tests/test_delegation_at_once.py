"""Delegates who act at the same moment: what they hold together does not grow, and what was taken away stays away."""

import threading
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from acts import Act, Doer, acts, held_by_each
from auth_core.errors import PermissionRefused
from auth_core.testing.parallel import at_once
from auth_rbac.decisions.decisions import check
from auth_rbac.models import Assignment, Role
from auth_rbac.roles import assignments, delegation
from auth_rbac.roles.assignments import assign_role, revoke_role
from conftest import again, make_role
from shop.models import Company, Order
from worlds import NOW, Plan, build, plans

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

#: How many pairs of acts run at once in CI, and in the long form.
PAIRS, MANY = 10, 300


def clear() -> None:
    """Remove a world: every pair begins in one of its own."""
    for model in (Assignment, Role, Group, User, Order, Company):
        model._default_manager.all().delete()


def act_at_once(plan: Plan, first: Act, second: Act) -> int:
    """Let two delegates act at once; return how many acts were allowed."""
    with time_machine.travel(NOW, tick=False):
        world = build(plan)
        doer, before = Doer(world), held_by_each(world)
        results = at_once([lambda: doer.do(first), lambda: doer.do(second)])
        after = held_by_each(world)
    authority_of_both = before[world.people[first.actor].pk] | before[world.people[second.actor].pk]
    assert set(map(type, results)) == {bool}, results
    for person, held in after.items():
        assert held - before[person] <= authority_of_both, (first, second)
    return sum(results)


@pytest.mark.parametrize("count", [PAIRS, pytest.param(MANY, marks=pytest.mark.races)])
def test_two_acts_at_once_give_nobody_what_neither_actor_held(count: int) -> None:
    allowed = []

    @settings(
        max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate],
        derandomize=count == PAIRS, database=None,
    )  # fmt: skip
    @given(plan=plans, first=acts, second=acts, other=st.integers(1, 2))
    def pairs(plan: Plan, first: Act, second: Act, other: int) -> None:
        try:
            second = Act((first.actor + other) % 3, second.by_api, second.verb, second.what)
            allowed.append(act_at_once(plan, first, second))
        finally:
            clear()

    pairs()
    assert sum(allowed)


def give_what_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> tuple[bool, bool]:
    """Take a role from a delegate who was just found to hold it and is about to give it to a friend.

    Returns:
        Whether one of the two holds the permission when the revocation has returned, and at the end.
    """
    judged, revoked, judge = threading.Event(), threading.Event(), delegation.require_all_said_by
    reader = make_role("reader", "shop.view_order")
    delegate, friend = User.objects.create_user("delegate"), User.objects.create_user("friend")
    assign_role(user=delegate, role=make_role("managing", "auth_rbac.add_assignment"))
    assignment = assign_role(user=delegate, role=reader)

    def judge_and_wait(*args: Any, **options: Any) -> None:
        judge(*args, **options)
        judged.set()
        # With the lock the revocation cannot happen now, and the wait ends by itself.
        revoked.wait(timeout=1)

    def give() -> Any:
        return assign_role(user=friend, role=reader, granted_by=delegate)

    def revoke() -> bool:
        assert judged.wait(timeout=60)
        revoke_role(assignment=assignment)
        held = together()
        revoked.set()
        return held

    def together() -> bool:
        return any(check(again(person), "shop.view_order").allowed for person in (delegate, friend))

    monkeypatch.setattr(delegation, "require_all_said_by", judge_and_wait)
    _given, then = at_once([give, revoke])
    assert isinstance(then, bool), then
    return then, together()


def test_a_role_that_is_taken_away_while_it_is_given_comes_back_through_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    then, at_the_end = give_what_is_taken_away(monkeypatch)

    assert at_the_end <= then


def test_without_the_lock_it_comes_back_and_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignments, "lock_graph", lambda: None)

    assert give_what_is_taken_away(monkeypatch) == (False, True)


def test_what_was_taken_away_before_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    give_what_is_taken_away(monkeypatch)
    monkeypatch.undo()

    with pytest.raises(PermissionRefused):
        assign_role(
            user=User.objects.create_user("another"), role=Role.objects.get(key="reader"),
            granted_by=again(User.objects.get(username="delegate")),
        )  # fmt: skip
