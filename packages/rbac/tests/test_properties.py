"""Random worlds: every function gives the decision of the oracle."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from auth_core.errors import InvalidRequest
from auth_rbac.decisions import decision_cache, decisions
from auth_rbac.decisions.decisions import check, check_many
from auth_rbac.decisions.querysets import permitted_keys
from auth_rbac.decisions.subjects import subjects
from auth_rbac.models import Assignment, Role, RoleClosure, RoleEdge, Wildcard
from auth_rbac.statements.rows import Effect
from conftest import again
from oracle import may
from shop.models import Order
from worlds import NAMES, NOW, Plan, World, build, few, plans

thorough = settings(
    max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True, derandomize=True
)


def answers(world: World) -> dict[tuple[int, str, int | None], bool]:
    """Return who may do what, by the oracle."""
    return {
        (person.pk, name, order and order.pk): may(person, name, order, NOW, world.around(order))
        for person in world.people
        for name in NAMES
        for order in (None, *world.orders)
    }


def decisions_of(world: World) -> dict[tuple[int, str, int | None], bool]:
    """Return who may do what, by `check` on new instances."""
    return {
        (person.pk, name, order and order.pk): bool(check(again(person), name, order))
        for person in world.people
        for name in NAMES
        for order in (None, *world.orders)
    }


def next_key(person: User, name: str, after: int | None) -> list[int]:
    return permitted_keys(person, name, Order, after=after, limit=1)


class EveryWayOfAskingAgrees(TestCase):
    @thorough
    @given(plan=plans)
    @time_machine.travel(NOW, tick=False)
    def test_with_the_oracle(self, plan: Plan) -> None:
        world = build(plan)
        expected = answers(world)

        assert decisions_of(world) == expected
        for person in world.people:
            for name in NAMES:
                user = again(person)
                on_page = [bool(one) for one in check_many(user, name, world.orders)]
                assert on_page == [expected[person.pk, name, order.pk] for order in world.orders]
                assert [bool(check(user, name, order)) for order in world.orders] == on_page
                listed = [order.pk for order in world.orders if expected[person.pk, name, order.pk]]
                cold, warm = again(person), again(person)
                check(warm, name)
                for user in (cold, warm):
                    rows = Order.objects.permitted(user, name).order_by("pk")
                    assert list(rows.values_list("pk", flat=True)) == listed
                    assert permitted_keys(user, name, Order) == listed
                    assert permitted_keys(user, name, Order.objects.exclude(pk=0)) == listed
                    assert [key for first in [None, *listed[:-1]] for key in next_key(user, name, first)] == listed
        for name in NAMES:
            for order in (None, *world.orders):
                who = {
                    pk
                    for pk, asked_name, key in expected
                    if (asked_name, key) == (name, order and order.pk) and expected[pk, asked_name, key]
                }
                assert set(subjects(name, order).values_list("pk", flat=True)) == who

    @thorough
    @given(plan=plans, role=few, number=few)
    @time_machine.travel(NOW, tick=False)
    def test_adding_a_denial_never_grants(self, plan: Plan, role: int, number: int) -> None:
        world = build(plan)
        before = decisions_of(world)

        Wildcard.objects.get_or_create(
            role=world.roles[role], app_label="shop", model=["", "order", "branch", "company"][number], denies=True
        )

        assert not [question for question, yes in decisions_of(world).items() if yes and not before[question]]

    @thorough
    @given(plan=plans)
    @time_machine.travel(NOW, tick=False)
    def test_removing_an_edge_removes_exactly_what_it_passed_on(self, plan: Plan) -> None:
        world = build(plan)
        for edge in list(RoleEdge.objects.all()):
            before, denying = decisions_of(world), _says_no(edge.parent)
            edge.delete()
            after = decisions_of(world)
            # An edge to a role with denials denied something. Any other edge allowed something.
            gained = [question for question, yes in after.items() if yes and not before[question]]
            assert denying or not gained
            assert after == answers(world)


class TheClosure(TestCase):
    @thorough
    @given(edges=st.lists(st.tuples(st.booleans(), st.integers(0, 7), st.integers(0, 7)), max_size=25))
    def test_matches_the_edges_after_every_change(self, edges: list[tuple[bool, int, int]]) -> None:
        roles = [Role.objects.create(name=str(n), key=str(n)) for n in range(8)]
        for removes, child, parent in edges:
            if removes:
                RoleEdge.objects.filter(child=roles[child], parent=roles[parent]).delete()
            else:
                try:
                    RoleEdge.objects.get_or_create(child=roles[child], parent=roles[parent])
                except InvalidRequest:
                    continue
            assert closure() == closure_of_edges()
        roles[0].delete()
        assert closure() == closure_of_edges()


def closure() -> set[tuple[Any, Any, int]]:
    return set(RoleClosure.objects.values_list("role_id", "ancestor_id", "distance"))


def closure_of_edges() -> set[tuple[Any, Any, int]]:
    """Return the closure by trying one step after another, until there is nothing new."""
    edges = set(RoleEdge.objects.values_list("child_id", "parent_id"))
    closure = {(role, role): 0 for role in Role.objects.values_list("pk", flat=True)}
    for steps in range(1, 9):
        for role, middle in list(closure):
            for child, parent in edges:
                if child == middle and closure[role, middle] == steps - 1:
                    closure.setdefault((role, parent), steps)
    return {(role, ancestor, steps) for (role, ancestor), steps in closure.items()}


def _says_no(role: Role) -> bool:
    above = RoleClosure.objects.filter(role=role).values("ancestor")
    return bool(
        Wildcard.objects.filter(role__in=above, denies=True).exists()
        or Role.objects.filter(pk__in=above, denials__isnull=False).exists()
    )


@pytest.mark.django_db
def test_ignored_denials_are_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(
        edges=[], permissions=[(0, 0)], denials=[(1, 0)], wildcards=[], members=[], objects=[], alone=[],
        assignments=[(False, 0, 0, 0, -1, None), (False, 0, 1, 0, -1, None)],
    )  # fmt: skip
    with time_machine.travel(NOW, tick=False):
        world = build(plan)
        assert decisions_of(world) == answers(world)
        monkeypatch.setattr(decisions, "Effect", SimpleNamespace(**{**Effect.__members__, "DENIES": 99}))
        Assignment.objects.update(reason="another version")
        decision_cache.forget_all()

        assert decisions_of(world) != answers(world)


def test_the_oracle_imports_only_models() -> None:
    imported = [
        line
        for line in Path(__file__).with_name("oracle.py").read_text().splitlines()
        if "auth_" in line and "import" in line
    ]

    assert imported == ["from auth_rbac.models import Assignment, Role, RoleEdge, Wildcard"]
