"""Each trigger alone invalidates cached decisions after a change by SQL.

The caches of the process stay. The next instance of the user asks two questions: the first reads the current
versions, and the second is decided from the cache if they have not changed. All triggers except the tested one are
disabled, so that no other one can hide its failure.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from guardian.models import GroupObjectPermission, UserObjectPermission
from guardian.shortcuts import assign_perm

from auth_rbac.database import triggers
from auth_rbac.decisions import decision_cache, role_cache
from auth_rbac.decisions.decisions import check
from auth_rbac.holders.service_subject import ServiceSubject
from auth_rbac.models import Assignment, Role, RoleClosure, RoleEdge, Wildcard
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role
from conftest import again, make_role, permission
from robots.models import Robot
from shop.models import Order, Plan, PlanGroupPermission, PlanUserPermission

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]


class World:
    """A person who may view an order and a plan in one way alone. Each method is a way."""

    def __init__(self, alice: User, bob: User) -> None:
        self.alice, self.bob = alice, bob
        self.group = Group.objects.create(name="readers")
        self.other = Group.objects.create(name="others")
        self.order, self.plan = Order.objects.create(), Plan.objects.create()
        self.robot = Robot.objects.create(name="crawler")

    def role(self) -> None:
        assign_role(user=self.alice, role=make_role("reader", "shop.view_order"))

    def role_of_group(self) -> None:
        self.alice.groups.add(self.group)
        assign_role(group=self.group, role=make_role("reader", "shop.view_order"))

    def role_of_service(self) -> None:
        assign_role(service_id=self.robot.pk, role=make_role("reader", "shop.view_order"))

    def parent(self) -> None:
        above = make_role("above", "shop.view_order")
        assign_role(user=self.alice, role=create_role(name="below", parents=[above]))
        create_role(name="nothing")

    def wildcard(self) -> None:
        assign_role(user=self.alice, role=create_role(name="reader", wildcards=["shop.order.*"]))

    def denial(self) -> None:
        assign_role(user=self.alice, role=make_role("reader", "shop.view_order"))
        assign_role(user=self.alice, role=create_role(name="no", denials=[permission("shop.view_order")]))

    def of_group(self) -> None:
        self.alice.groups.add(self.group)
        self.group.permissions.add(permission("shop.view_order"))

    def alone(self) -> None:
        self.alice.user_permissions.add(permission("shop.view_order"))

    def for_objects(self) -> None:
        assign_perm("shop.view_order", self.alice, self.order)

    def for_objects_of_group(self) -> None:
        self.alice.groups.add(self.group)
        assign_perm("shop.view_order", self.group, self.order)

    def for_plans(self) -> None:
        assign_perm("shop.view_plan", self.alice, self.plan)

    def for_plans_of_group(self) -> None:
        self.alice.groups.add(self.group)
        assign_perm("shop.view_plan", self.group, self.plan)

    def answers(self) -> tuple[bool, ...]:
        """Decide as in a new request: the first question reads the versions, and the others may use the cache."""
        user = again(self.alice)
        assert not user.has_perm("shop.add_company")
        questions = [("shop.view_order", None), ("shop.view_order", self.order), ("shop.view_plan", self.plan)]
        service = ServiceSubject(self.robot.pk)
        assert not check(service, "shop.add_company")
        of_service = (bool(check(service, name, obj)) for name, obj in questions)
        return (*(user.has_perm(name, obj) for name, obj in questions), *of_service)

    def versions(self) -> list[str]:
        of_service = decision_cache.verify(ServiceSubject(self.robot.pk)).versions
        return [*decision_cache.versions_part(self.alice), *of_service]


class Case(NamedTuple):
    """A table, a way to a permission that depends on it, and an UPDATE that takes the permission away.

    Args:
        is_joined: Whether decisions read the table. If not, they read only related rows, and the version must change.
    """

    table: str
    way: Callable[[World], None]
    update: str
    is_joined: bool = True


def name_of(model: Any) -> str:
    return str(model._meta.db_table)


OTHER_PERMISSION = "permission_id = (SELECT max(id) FROM auth_permission)"
OTHER_GROUP = "group_id = (SELECT max(id) FROM auth_group)"

CASES = {
    "role": Case(name_of(Role), World.role, "description = 'x'", is_joined=False),
    "edge": Case(name_of(RoleEdge), World.parent, "child_id = child_id", is_joined=False),
    "closure": Case(name_of(RoleClosure), World.parent, "ancestor_id = (SELECT id FROM auth_rbac_role WHERE key = 'nothing') WHERE distance = 1"),
    "wildcard": Case(name_of(Wildcard), World.wildcard, "app_label = 'auth', model = ''"),
    "permission": Case("auth_permission", World.role, "codename = codename || 'x'"),
    "permission of a role": Case(name_of(Role.permissions.through), World.role, OTHER_PERMISSION),
    "denial of a role": Case(name_of(Role.denials.through), World.denial, OTHER_PERMISSION),
    "permission of a group": Case(name_of(Group.permissions.through), World.of_group, OTHER_PERMISSION),
    "assignment": Case(name_of(Assignment), World.role, "user_id = (SELECT max(id) FROM auth_user)"),
    "assignment of a service": Case(name_of(Assignment), World.role_of_service, "service_id = gen_random_uuid()"),
    "assignment of a group": Case(name_of(Assignment), World.role_of_group, OTHER_GROUP),
    "membership": Case(name_of(User.groups.through), World.role_of_group, OTHER_GROUP),
    "permission of a person": Case(name_of(User.user_permissions.through), World.alone, OTHER_PERMISSION),
    "object permission": Case(name_of(UserObjectPermission), World.for_objects, "object_pk = '0'"),
    "object permission of a group": Case(name_of(GroupObjectPermission), World.for_objects_of_group, "object_pk = '0'"),
    "own table": Case(name_of(PlanUserPermission), World.for_plans, OTHER_PERMISSION),
    "own table of a group": Case(name_of(PlanGroupPermission), World.for_plans_of_group, OTHER_PERMISSION),
}  # fmt: skip

OPERATIONS = ["INSERT", "UPDATE", "DELETE", "TRUNCATE"]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", CASES)
def test_a_change_by_sql_invalidates_the_cache(name: str, operation: str, alice: User, bob: User) -> None:
    case, world = CASES[name], World(alice, bob)
    case.way(world)
    table = case.table
    with undone(), only_trigger(table, operation):
        if operation == "INSERT":
            run(f"CREATE TEMPORARY TABLE kept AS SELECT * FROM {table}")
            run(f"DELETE FROM {table}")
        decision_cache.forget_all()
        role_cache.forget_all()
        before, versions = world.answers(), world.versions()
        assert world.answers() == before, "they are cached now"

        run({
            "INSERT": f"INSERT INTO {table} SELECT * FROM kept",
            "UPDATE": f"UPDATE {table} SET {case.update}",
            "DELETE": f"DELETE FROM {table}",
            "TRUNCATE": f"TRUNCATE {table} CASCADE",
        }[operation])  # fmt: skip

        assert world.versions() != versions
        if case.is_joined:
            assert world.answers() != before


def test_every_trigger_is_tested() -> None:
    laid = {watched.table for watched in triggers._watched()}

    assert laid == {case.table for case in CASES.values()}
    assert list(triggers._ROWS) == ["INSERT", "UPDATE", "DELETE", "TRUNCATE"]


def test_every_watched_table_has_all_triggers() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT event_object_table, event_manipulation FROM information_schema.triggers"
                       " WHERE trigger_name LIKE 'auth\\_rbac\\_on\\_%'")  # fmt: skip
        standing_now = set(cursor.fetchall())

    # TRUNCATE is not in the SQL standard, and so not in this view. `triggers.missing` reads the catalogue.
    assert standing_now == {(case.table, operation) for case in CASES.values() for operation in OPERATIONS[:3]}
    assert triggers.missing() == []


@contextmanager
def undone() -> Iterator[None]:
    """Roll back the changes inside: rows with foreign keys to them are deleted."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def only_trigger(table: str, operation: str) -> Iterator[None]:
    """Disable all of our triggers but one."""
    run("SET CONSTRAINTS ALL IMMEDIATE")
    for each in {case.table for case in CASES.values()}:
        run(f"ALTER TABLE {each} DISABLE TRIGGER USER")
    name = f"auth_rbac_on_{operation.lower()}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname = %s", [table, name])
        if cursor.fetchone() is not None:  # one that is missing is to be missed by the answers
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}")
    run("SET CONSTRAINTS ALL DEFERRED")
    yield


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_an_outdated_trigger_is_found_and_replaced() -> None:
    outdated = "BEGIN RETURN NULL; END"
    run(f"CREATE OR REPLACE FUNCTION auth_rbac_touch_holders() RETURNS trigger LANGUAGE plpgsql AS $${outdated}$$")

    assert {(watched.table, operation) for watched, operation in triggers.missing()} == {
        (name_of(Assignment), operation) for operation in ("INSERT", "UPDATE", "DELETE")
    }
    triggers.lay()
    assert triggers.missing() == []
