"""A service holds its own assignments and nothing else, and is decided about like a person."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis.extra.django import TestCase

from auth_core.errors import Conflict, InvalidRequest
from auth_core.registries import holder_kinds
from auth_core.testing.parallel import ROUNDS, one_winner
from auth_core.testing.plans import unindexed
from auth_rbac.decisions import decision_cache
from auth_rbac.decisions.decision import DecisionReason
from auth_rbac.decisions.decisions import check, check_many
from auth_rbac.decisions.querysets import permitted, permitted_keys
from auth_rbac.decisions.subjects import services_with, subjects
from auth_rbac.explanations.explanations import explain
from auth_rbac.holders.service_subject import ServiceSubject
from auth_rbac.models import Assignment, HolderKind, Role
from auth_rbac.roles.assignments import assign_role, revoke_role
from auth_rbac.roles.roles import change_role, create_role, delete_role
from conftest import again, make_role, permission
from robots.models import Robot
from shop.models import Branch, Company, Order
from worlds import NAMES, NOW, World, build, plans

pytestmark = pytest.mark.django_db


@pytest.fixture
def robot(db: None) -> Robot:
    """A service."""
    return Robot.objects.create(name="crawler")


@pytest.fixture
def no_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """No app of the site registers services."""
    monkeypatch.delitem(holder_kinds._entries, HolderKind.SERVICE)


def ask(robot: Robot) -> ServiceSubject:
    """Return a new instance of the subject, as the next request has it."""
    return ServiceSubject(robot.pk)


def test_a_role_allows_and_its_revocation_ends_it(robot: Robot) -> None:
    order, role = Order.objects.create(), make_role("reader", "shop.view_order")
    assert check(ask(robot), "shop.view_order").reason is DecisionReason.NOTHING

    assignment = assign_role(service_id=robot.pk, role=role)

    assert check(ask(robot), "shop.view_order").reason is DecisionReason.ROLE
    assert check(ask(robot), "view", order)
    assert not check(ask(robot), "change", order)
    assert revoke_role(assignment=assignment)
    assert not revoke_role(assignment=assignment)
    assert not check(ask(robot), "shop.view_order")
    assert not check(ask(robot), "view", order)


def test_scopes_cover_inner_objects_and_denials_win(robot: Robot) -> None:
    company = Company.objects.create(name="here")
    inside, outside = Order.objects.create(branch=Branch.objects.create(company=company)), Order.objects.create()
    assign_role(service_id=robot.pk, role=make_role("reader", "shop.view_order"), scope=company)

    assert [bool(one) for one in check_many(ask(robot), "view", [inside, outside])] == [True, False]
    assert list(permitted(ask(robot), "view", Order)) == [inside]
    assert permitted_keys(ask(robot), "view", Order) == [inside.pk]
    assert services_with("view", inside) == [robot.pk]
    assert services_with("view", outside) == services_with("shop.view_order") == []

    assign_role(service_id=robot.pk, role=create_role(name="no", denied_wildcards=["shop.*"]), scope=inside)

    assert check(ask(robot), "view", inside).reason is DecisionReason.DENIED
    assert list(permitted(ask(robot), "view", Order)) == []
    assert services_with("view", inside) == []


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_an_assignment_ends_at_its_end(seconds: int, robot: Robot) -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    end = now + timedelta(hours=1)
    with time_machine.travel(now, tick=False) as clock:
        assign_role(service_id=robot.pk, role=make_role("reader", "shop.view_order"), valid_until=end)
        subject = ask(robot)
        assert check(subject, "shop.view_order").until == end

        clock.move_to(end + timedelta(seconds=seconds))

        assert check(subject, "shop.view_order").allowed is (seconds < 0)
        assert services_with("shop.view_order") == ([robot.pk] if seconds < 0 else [])


@pytest.mark.parametrize(
    "end", [lambda robot: robot.delete(), lambda robot: Robot.objects.update(is_active=False)], ids=["gone", "disabled"]
)
def test_a_disabled_or_deleted_service_has_no_permission(end: Callable[[Robot], Any], robot: Robot) -> None:
    order, public_id = Order.objects.create(), robot.pk
    assign_role(service_id=public_id, role=make_role("reader", "shop.view_order"))
    assert check(ServiceSubject(public_id), "view", order)

    end(robot)

    assert check(ServiceSubject(public_id), "view", order).reason is DecisionReason.INACTIVE
    assert check_many(ServiceSubject(public_id), "view", [order])[0].reason is DecisionReason.INACTIVE
    assert list(permitted(ServiceSubject(public_id), "view", Order)) == []
    assert permitted_keys(ServiceSubject(public_id), "view", Order) == []
    assert services_with("shop.view_order") == []
    explanation = explain(ServiceSubject(public_id), "shop.view_order")
    assert explanation.sentence == "The service is disabled or does not exist any more."
    assert len(explanation.paths) == 1, "the assignment is still explained"


@pytest.mark.usefixtures("no_services")
def test_without_an_app_that_registers_services_none_exists(robot: Robot) -> None:
    with pytest.raises(InvalidRequest) as refused:
        assign_role(service_id=robot.pk, role=make_role("reader", "shop.view_order"))

    assert refused.value.errors[0].code == "unknown_holder"
    assert not Assignment.objects.exists()
    assert not ask(robot).is_active


def test_an_unknown_service_gets_no_role_on_any_path() -> None:
    role = make_role("reader", "shop.view_order")

    for grant in (
        lambda: assign_role(service_id=uuid4(), role=role),
        lambda: Assignment.objects.create(service_id=uuid4(), role=role),
        lambda: Assignment(service_id=uuid4(), role=role).save(),
        lambda: role.assignments.create(service_id=uuid4()),
        lambda: Assignment.objects.get_or_create(service_id=uuid4(), role=role),
    ):
        with pytest.raises(InvalidRequest):
            grant()
    assert not Assignment.objects.exists()


def test_a_service_is_no_user(robot: Robot, alice: User) -> None:
    subject = ask(robot)

    assert not hasattr(subject, "pk"), "a key of a service must not be compared with keys of people"
    assert not hasattr(subject, "is_superuser")
    assert (subject == ask(robot), subject != ServiceSubject(uuid4()), subject != alice) == (True, True, True)


def test_an_assignment_has_exactly_one_holder(robot: Robot, alice: User) -> None:
    role = make_role("reader", "shop.view_order")
    for holders in ({}, {"user": alice, "service_id": robot.pk}):
        with pytest.raises(InvalidRequest) as refused:
            assign_role(role=role, **holders)
        assert refused.value.errors[0].code == "one_holder"
        with pytest.raises(IntegrityError), transaction.atomic():
            Assignment.objects.create(role=role, **holders)


def test_a_role_is_assigned_once_everywhere_and_once_in_a_scope(robot: Robot) -> None:
    role, company = make_role("reader", "shop.view_order"), Company.objects.create(name="here")
    for scope in (None, company):
        assign_role(service_id=robot.pk, role=role, scope=scope)
        with pytest.raises(Conflict):
            assign_role(service_id=robot.pk, role=role, scope=scope)


def test_a_change_or_deletion_of_a_role_counts_on_the_next_request(robot: Robot) -> None:
    role = make_role("reader", "shop.view_order")
    assign_role(service_id=robot.pk, role=role)
    assert check(ask(robot), "shop.view_order")

    change_role(role=role, permissions=[permission("shop.change_order")])
    assert not check(ask(robot), "shop.view_order")
    assert check(ask(robot), "shop.change_order")
    delete_role(role=role)

    assert not check(ask(robot), "shop.change_order")
    assert not Assignment.objects.exists()


def _end(assignment: Assignment) -> None:
    assignment.valid_until = assignment.valid_from + timedelta(microseconds=1)
    assignment.save()


def _give_to_another(assignment: Assignment) -> None:
    assignment.service_id = Robot.objects.create(name="other").pk
    assignment.save()


#: Ways to take a role from a service with Django. `update` sends no signal.
WAYS: dict[str, Callable[[Assignment], Any]] = {
    "revoke_role": lambda row: revoke_role(assignment=row),
    "delete": lambda row: row.delete(),
    "save": _end,
    "save with another holder": _give_to_another,
    "delete of a queryset": lambda row: Assignment.objects.filter(pk=row.pk).delete(),
    "update": lambda row: Assignment.objects.update(valid_until=row.valid_from + timedelta(microseconds=1)),
    "update of the holder": lambda row: Assignment.objects.update(service_id=uuid4()),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_removal_counts_on_the_next_request(way: str, robot: Robot) -> None:
    order = Order.objects.create()
    assignment = assign_role(service_id=robot.pk, role=make_role("reader", "shop.view_order"))
    warm = ask(robot)
    assert check(warm, "view", order)
    assert queries_of(lambda: check(warm, "view", order)) == 0

    WAYS[way](assignment)

    assert not check(ask(robot), "view", order)


def test_a_change_about_one_service_keeps_the_decisions_about_others(robot: Robot, alice: User) -> None:
    role, other = make_role("reader", "shop.view_order"), Robot.objects.create(name="other")
    assign_role(service_id=robot.pk, role=role)
    before = [decision_cache.versions_part(alice), decision_cache.verify(ask(robot)).versions]

    assign_role(service_id=other.pk, role=role)

    assert [decision_cache.versions_part(alice), decision_cache.verify(ask(robot)).versions] == before


def test_a_cold_decision_takes_two_queries_and_a_warm_one_none(robot: Robot) -> None:
    order = Order.objects.create()
    assign_role(service_id=robot.pk, role=make_role("reader", "shop.view_order"))
    subject = ask(robot)

    assert queries_of(lambda: check(subject, "view", order)) == 2, "one of them asks whether the service is active"
    assert queries_of(lambda: check(subject, "view", order)) == 0
    assert queries_of(lambda: check(ServiceSubject(robot.pk, is_active=True), "view", order)) == 1
    assert queries_of(lambda: check_many(ServiceSubject(robot.pk, is_active=True), "view", [order] * 50)) == 1


def test_many_assignments_do_not_change_the_decisions(robot: Robot) -> None:
    orders = [Order.objects.create() for _n in range(60)]
    role, no = make_role("reader", "shop.view_order"), create_role(name="no", denied_wildcards=["shop.*"])
    for order in orders:
        assign_role(service_id=robot.pk, role=role, scope=order)
    assign_role(service_id=robot.pk, role=no, scope=orders[3])
    warm = ask(robot)
    check(warm, "shop.view_order")

    assert decision_cache.on_instance(warm).everywhere.scoped is None  # type: ignore[union-attr]  # it was asked before
    for subject in (warm, ask(robot)):
        assert set(permitted(subject, "view", Order)) == {*orders} - {orders[3]}
        assert [bool(one) for one in check_many(subject, "view", orders)] == [order != orders[3] for order in orders]


def test_snapshots_of_people_are_not_used_for_services(settings: Any, robot: Robot) -> None:
    settings.AUTH_RBAC = {**settings.AUTH_RBAC, "TRUST_SNAPSHOTS": True}
    assignment = assign_role(service_id=robot.pk, role=make_role("reader", "shop.view_order"))
    assert check(ask(robot), "shop.view_order")

    revoke_role(assignment=assignment)

    assert not check(ask(robot), "shop.view_order")


class TheTwinOfAService(TestCase):
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(plan=plans)
    @time_machine.travel(NOW, tick=False)
    def test_a_person_with_the_same_assignments_and_nothing_else_is_decided_alike(self, plan: Any) -> None:
        world = build(plan)
        twins = [_twins(number, holder) for number, holder in enumerate(_sets_of_assignments(world))]

        for robot, twin in twins:
            for name in NAMES:
                for order in (None, *world.orders):
                    assert check(ask(robot), name, order).to_json() == check(again(twin), name, order).to_json()
                page = [[bool(one) for one in check_many(who, name, world.orders)] for who in (ask(robot), again(twin))]
                assert page[0] == page[1]
                warm = ask(robot)
                check(warm, name)
                for subject in (ask(robot), warm):
                    keys = list(Order.objects.permitted(again(twin), name).order_by("pk").values_list("pk", flat=True))
                    assert list(permitted(subject, name, Order).order_by("pk").values_list("pk", flat=True)) == keys
                    assert permitted_keys(subject, name, Order) == keys
        of = {robot.pk: twin.pk for robot, twin in twins}
        for name in NAMES:
            for order in (None, *world.orders):
                people = set(subjects(name, order, among=of.values()).values_list("pk", flat=True))
                assert {of[public_id] for public_id in services_with(name, order)} == people


def _sets_of_assignments(world: World) -> Iterator[list[Assignment]]:
    for person, group in zip(world.people, world.groups, strict=True):
        yield list(Assignment.objects.filter(user=person))
        yield list(Assignment.objects.filter(group=group))


def _twins(number: int, assignments: list[Assignment]) -> tuple[Robot, User]:
    """Return a service and a person who hold copies of these assignments."""
    robot, twin = Robot.objects.create(name=f"robot {number}"), User.objects.create(username=f"twin {number}")
    for row in assignments:
        what = {
            "role": row.role, "scope_type": row.scope_type, "scope_id": row.scope_id, "valid_from": row.valid_from,
            "valid_until": row.valid_until,
        }  # fmt: skip
        Assignment.objects.create(service_id=robot.pk, **what)
        Assignment.objects.create(user=twin, **what)
    return robot, twin


def assign_at_once(number: int) -> list[Any]:
    """Return four concurrent assignments of the same role to the same service, everywhere or in a scope."""
    robot, role = Robot.objects.create(name=str(number)), make_role(f"reader {number}", "shop.view_order")
    scope = None if number % 2 else Company.objects.create(name=str(number))
    return [lambda: assign_role(service_id=robot.pk, role=role, scope=scope)] * 4


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rounds", [4, pytest.param(ROUNDS, marks=pytest.mark.races)])
def test_of_four_concurrent_assignments_one_succeeds(rounds: int) -> None:
    one_winner(assign_at_once, refusal={"conflict"}, rounds=rounds)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_without_the_constraint_several_succeed_and_the_test_detects_it() -> None:
    constraints = [one for one in Assignment._meta.constraints if one.name.startswith("auth_rbac_service_")]
    with connection.schema_editor() as editor:
        for constraint in constraints:
            editor.remove_constraint(Assignment, constraint)
    try:
        with pytest.raises(AssertionError, match=r"\d won"):
            one_winner(assign_at_once, refusal={"conflict"}, rounds=8)
    finally:
        Assignment.objects.all().delete()
        with connection.schema_editor() as editor:
            for constraint in constraints:
                editor.add_constraint(Assignment, constraint)


@pytest.mark.postgresql
def test_the_statements_use_an_index_among_many_assignments(robot: Robot, alice: User) -> None:
    order, role = Order.objects.create(), make_role("reader", "shop.view_order")
    assign_role(service_id=robot.pk, role=role)
    assign_role(user=alice, role=role)
    fill(role)

    def ask_everything(subject: Any) -> None:
        check(subject, "shop.view_order")
        check(subject, "change", order)
        list(permitted(subject, "view", Order))

    of_service = chosen_plans(lambda: ask_everything(ask(robot)))
    of_person = chosen_plans(lambda: ask_everything(again(alice)))

    for plan in (*of_service, *of_person):
        assert "Seq Scan on auth_rbac_assignment" not in plan
        assert "Seq Scan on auth_rbac_serviceversion" not in plan
    assert any("auth_rbac_assignment_service" in plan for plan in of_service)
    assert not any("service" in plan for plan in of_person), "the statements about people do not mention services"
    assert unindexed(lambda: list(Assignment.objects.of_service(robot.pk))) == []


def fill(role: Role, count: int = 20_000) -> None:
    """Assign *role* to many people and to many services, past the functions that check each."""
    columns = "(id, {holder}, role_id, scope_id, valid_from, reason, created_at)"
    values = "gen_random_uuid(), {key}, %s, '', now() - interval '1 day', '', now()"
    people = (
        "INSERT INTO auth_user (username, password, email, first_name, last_name, is_active, is_staff, is_superuser,"
        " date_joined) SELECT 'person ' || n, '', '', '', '', true, false, false, now() FROM generate_series(1, %s) n"
    )
    with connection.cursor() as cursor:
        cursor.execute(people, [count])
        for holder, key, source in (
            ("user_id", "id", "auth_user WHERE username LIKE 'person %%'"),
            ("service_id", "gen_random_uuid()", f"generate_series(1, {count})"),
        ):
            cursor.execute(
                f"INSERT INTO auth_rbac_assignment {columns.format(holder=holder)}"
                f" SELECT {values.format(key=key)} FROM {source}",
                [role.pk],
            )
        cursor.execute("ANALYZE auth_rbac_assignment, auth_rbac_serviceversion, auth_rbac_personversion, auth_user")


def chosen_plans(act: Callable[[], Any]) -> list[str]:
    """Return PostgreSQL's plan of each query of *act*."""
    with CaptureQueriesContext(connection) as queries:
        act()
    plans = []
    with connection.cursor() as cursor:
        for query in queries.captured_queries:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    return plans


def queries_of(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as queries:
        act()
    return len(queries)
