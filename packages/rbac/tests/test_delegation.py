"""Delegates who act in turns never hold more together, in scope and in time, and nobody gains what the actor lacked."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from acts import Act, Doer, acts, never_grows
from auth_rbac.roles import delegation, roles
from worlds import NOW, Plan, build, plans

pytestmark = pytest.mark.django_db

#: How many sequences of acts run in CI, and in the long form.
SEQUENCES, MANY = 20, 1500

sequences = st.lists(acts, min_size=4, max_size=8)


def run(plan: Plan, sequence: list[Act]) -> int:
    """Return how many acts of a sequence were allowed; what they did is undone."""
    with transaction.atomic(), time_machine.travel(NOW, tick=False):
        world = build(plan)
        try:
            return never_grows(world, sequence, Doer(world).do)
        finally:
            transaction.set_rollback(True)


def search(test: Callable[[Plan, list[Act]], None], count: int, *, derandomize: bool = True) -> None:
    """Run *test* with so many random worlds and sequences, without shrinking those that fail."""
    options: dict[str, Any] = {"phases": [Phase.generate], "derandomize": derandomize, "database": None}
    settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), **options)(
        given(plans, sequences)(test)
    )()


@pytest.mark.parametrize("count", [SEQUENCES, pytest.param(MANY, marks=pytest.mark.races)])
def test_no_one_gains_or_loses_by_an_act_what_the_actor_did_not_hold_before(count: int) -> None:
    allowed = []

    def act(plan: Plan, sequence: list[Act]) -> None:
        allowed.append(run(plan, sequence))

    search(act, count, derandomize=count == SEQUENCES)

    assert sum(allowed) > count, "acts are allowed as well, or nothing is tried"


def test_a_change_that_is_written_before_it_is_judged_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    judge, write, asked = roles._require_all, roles._write, list[Any]()

    def judge_before(actor: Any, concerned: Any, wanted: Any) -> None:
        judge(actor, concerned, roles._Wanted())
        asked.append(actor)

    def write_first(role: Any, wanted: Any) -> None:
        write(role, wanted)
        delegation.require_all_said_by(asked.pop(), [role])

    monkeypatch.setattr(roles, "_require_all", judge_before)
    monkeypatch.setattr(roles, "_write", write_first)
    tried = []

    def act(plan: Plan, sequence: list[Act]) -> None:
        tried.append(sequence)
        run(plan, sequence)

    with pytest.raises(AssertionError, match="gave"):
        search(act, SEQUENCES)
    print(f"found in sequence {len(tried)} of {SEQUENCES}")
