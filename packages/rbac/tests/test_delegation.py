"""Delegates who act in turns never hold more together, in scope and time, and no act gives what its actor lacks."""

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

#: The number of sequences in CI, and in the long form.
SEQUENCES, MANY = 20, 1500

sequences = st.lists(acts, min_size=4, max_size=8)


def run(plan: Plan, sequence: list[Act]) -> int:
    """Return how many acts of a sequence were allowed. Their changes are rolled back."""
    with transaction.atomic(), time_machine.travel(NOW, tick=False):
        world = build(plan)
        try:
            return never_grows(world, sequence, Doer(world).do)
        finally:
            transaction.set_rollback(True)


def search(test: Callable[[Plan, list[Act]], None], count: int, *, derandomize: bool = True) -> None:
    """Run *test* with random worlds and sequences, without shrinking failures."""
    options: dict[str, Any] = {"phases": [Phase.generate], "derandomize": derandomize, "database": None}
    settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), **options)(
        given(plans, sequences)(test)
    )()


@pytest.mark.parametrize("count", [SEQUENCES, pytest.param(MANY, marks=pytest.mark.races)])
def test_no_act_gives_or_takes_what_its_actor_did_not_hold(count: int) -> None:
    allowed = []

    def act(plan: Plan, sequence: list[Act]) -> None:
        allowed.append(run(plan, sequence))

    search(act, count, derandomize=count == SEQUENCES)

    assert sum(allowed) > count, "acts are allowed as well, or nothing is tried"


def test_a_change_written_before_the_check_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    check, write, actors = roles._require_all, roles._write, list[Any]()

    def check_before(actor: Any, concerned: Any, content: Any) -> None:
        check(actor, concerned, roles._NewContent())
        actors.append(actor)

    def write_first(role: Any, content: Any) -> None:
        write(role, content)
        delegation.require_all_of_roles(actors.pop(), [role])

    monkeypatch.setattr(roles, "_require_all", check_before)
    monkeypatch.setattr(roles, "_write", write_first)
    tried = []

    def act(plan: Plan, sequence: list[Act]) -> None:
        tried.append(sequence)
        run(plan, sequence)

    with pytest.raises(AssertionError, match="gave"):
        search(act, SEQUENCES)
    print(f"found in sequence {len(tried)} of {SEQUENCES}")
