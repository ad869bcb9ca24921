"""Concurrent acts of delegates: together they never hold more, and a revoked role does not come back."""

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

#: The number of concurrent pairs of acts in CI, and in the long form.
PAIRS, MANY = 10, 300


def clear() -> None:
    """Remove the world. Every pair begins in a new one."""
    for model in (Assignment, Role, Group, User, Order, Company):
        model._default_manager.all().delete()


def act_at_once(plan: Plan, first: Act, second: Act) -> int:
    """Run two acts of delegates at once, and return how many were allowed."""
    with time_machine.travel(NOW, tick=False):
        world = build(plan)
        doer, before = Doer(world), held_by_each(world)
        results = at_once([lambda: doer.do(first), lambda: doer.do(second)])
        after = held_by_each(world)
    authority_of_both = before[world.people[first.actor].pk] | before[world.people[second.actor].pk]
    assert set(map(type, results)) == {bool}, results
    for person, permissions in after.items():
        assert permissions - before[person] <= authority_of_both, (first, second)
    return sum(results)


@pytest.mark.parametrize("count", [PAIRS, pytest.param(MANY, marks=pytest.mark.races)])
def test_concurrent_acts_give_nothing_that_neither_actor_held(count: int) -> None:
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


def give_a_revoked_role(monkeypatch: pytest.MonkeyPatch) -> tuple[bool, bool]:
    """Revoke a role of a delegate after the check that they hold it, and before they give it to a friend.

    Returns:
        Whether one of the two has the permission after the revocation, and at the end.
    """
    checked, revoked, check_authority = threading.Event(), threading.Event(), delegation.require_all_of_roles
    reader = make_role("reader", "shop.view_order")
    delegate, friend = User.objects.create_user("delegate"), User.objects.create_user("friend")
    assign_role(user=delegate, role=make_role("managing", "auth_rbac.add_assignment"))
    assignment = assign_role(user=delegate, role=reader)

    def check_and_wait(*args: Any, **options: Any) -> None:
        check_authority(*args, **options)
        checked.set()
        # With the lock the revocation cannot happen now, and the wait times out.
        revoked.wait(timeout=1)

    def give() -> Any:
        return assign_role(user=friend, role=reader, granted_by=delegate)

    def revoke() -> bool:
        assert checked.wait(timeout=60)
        revoke_role(assignment=assignment)
        has_permission = together()
        revoked.set()
        return has_permission

    def together() -> bool:
        return any(check(again(person), "shop.view_order").allowed for person in (delegate, friend))

    monkeypatch.setattr(delegation, "require_all_of_roles", check_and_wait)
    _given, then = at_once([give, revoke])
    assert isinstance(then, bool), then
    return then, together()


def test_a_role_revoked_during_a_grant_does_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    then, at_the_end = give_a_revoked_role(monkeypatch)

    assert at_the_end <= then


def test_without_the_lock_it_comes_back_and_the_test_detects_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignments, "lock_graph", lambda: None)

    assert give_a_revoked_role(monkeypatch) == (False, True)


def test_a_revoked_role_cannot_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    give_a_revoked_role(monkeypatch)
    monkeypatch.undo()

    with pytest.raises(PermissionRefused):
        assign_role(
            user=User.objects.create_user("another"), role=Role.objects.get(key="reader"),
            granted_by=again(User.objects.get(username="delegate")),
        )  # fmt: skip
