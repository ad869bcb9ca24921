"""Decisions are cached, and never longer than they are valid."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from guardian.models import GroupObjectPermission, UserObjectPermission
from guardian.shortcuts import assign_perm

from auth_core.people.lookup import carry_parts
from auth_rbac.database import triggers
from auth_rbac.decisions import decision_cache, role_cache
from auth_rbac.decisions.decision import DecisionReason
from auth_rbac.decisions.decisions import check, check_many
from auth_rbac.decisions.querysets import permitted_keys
from auth_rbac.models import Assignment, Role, Wildcard
from auth_rbac.roles.assignments import assign_role, revoke_role
from auth_rbac.roles.roles import create_role
from conftest import again, make_role, permission
from shop.models import Branch, Company, Order, Plan

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def queries_of(ask: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as queries:
        ask()
    return len(queries)


def test_a_cold_decision_takes_one_query_and_a_warm_one_none(alice: User) -> None:
    order = Order.objects.create()
    assign_role(user=alice, role=make_role("reader", "shop.view_order"))
    user = again(alice)

    assert queries_of(lambda: check(user, "view", order)) == 1
    assert queries_of(lambda: check(user, "view", order)) == 0
    assert queries_of(lambda: check(user, "shop.view_order")) == 1
    assert queries_of(lambda: [check(user, name) for name in ("shop.view_order", "shop.add_order")]) == 0
    later = again(alice)
    assert queries_of(lambda: check(later, "view", order)) == 1, "the next request reads the versions"
    assert queries_of(lambda: check(later, "shop.view_order")) == 0


def test_the_first_decision_after_a_graph_change_takes_two_queries(alice: User) -> None:
    order = Order.objects.create()
    role = make_role("reader", "shop.view_order")
    assign_role(user=alice, role=role)
    assert check(again(alice), "view", order)
    role.denials.add(permission("shop.view_order"))
    user, next_one = again(alice), again(alice)

    assert queries_of(lambda: check(user, "view", order)) == 2
    assert not check(user, "view", order)
    assert queries_of(lambda: check(next_one, "view", order)) == 1


def test_a_loop_over_objects_under_a_role_everywhere_takes_one_query(alice: User) -> None:
    orders = [Order.objects.create() for _n in range(10)]
    assign_role(user=alice, role=make_role("reader", "shop.view_order"))
    assign_role(user=alice, role=create_role(name="no", denied_wildcards=["shop.*"]), scope=orders[7])
    user = again(alice)
    ContentType.objects.get_for_models(Order, Branch, Company)

    assert queries_of(lambda: [user.has_perm("shop.view_order", order) for order in orders]) == 1
    assert [user.has_perm("shop.view_order", order) for order in orders] == [number != 7 for number in range(10)]


@pytest.mark.parametrize("seconds", [0, 1])
def test_what_a_loop_reuses_expires_with_the_assignment(seconds: int, alice: User) -> None:
    first, second = Order.objects.create(), Order.objects.create()
    with time_machine.travel(NOW, tick=False) as clock:
        later = NOW + timedelta(hours=1)
        assign_role(user=alice, role=make_role("reader", "shop.view_order"))
        no = create_role(name="no", denied_wildcards=["shop.*"])
        assign_role(user=alice, role=no, scope=second, valid_from=later)
        user = again(alice)
        assert check(user, "shop.view_order", first).until is None, "the denial of another object does not concern it"
        assert check(user, "shop.view_order", second).until == later

        clock.move_to(later + timedelta(seconds=seconds))

        assert not user.has_perm("shop.view_order", second)
        assert user.has_perm("shop.view_order", first)


def test_a_page_and_a_list_take_one_query_each(alice: User) -> None:
    orders = [Order.objects.create() for _n in range(50)]
    assign_role(user=alice, role=make_role("reader", "shop.view_order"), scope=orders[7])
    cold, warm = again(alice), again(alice)
    check(warm, "shop.view_order")
    ContentType.objects.get_for_models(Order, Branch, Company)

    assert queries_of(lambda: check_many(cold, "view", orders)) == 1
    assert [bool(one) for one in check_many(cold, "view", orders)] == [number == 7 for number in range(50)]
    for user, before in ((again(alice), 1), (warm, 0)):
        assert queries_of(lambda user=user: Order.objects.permitted(user, "view")) == before  # type: ignore[misc]  # the type of a default argument is not inferred
        assert queries_of(lambda user=user: list(Order.objects.permitted(user, "view"))) == 1  # type: ignore[misc]  # as above
        assert queries_of(lambda user=user: permitted_keys(user, "view", Order)) == 1  # type: ignore[misc]  # as above


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_a_cached_yes_expires_at_the_end_of_the_assignment(seconds: int, alice: User) -> None:
    order = Order.objects.create()
    end = NOW + timedelta(hours=1)
    with time_machine.travel(NOW, tick=False) as clock:
        assign_role(user=alice, role=make_role("reader", "shop.view_order"), valid_until=end)
        user = again(alice)
        assert user.has_perm("shop.view_order")
        assert check(user, "view", order).until == end

        clock.move_to(end + timedelta(seconds=seconds))

        assert user.has_perm("shop.view_order") is (seconds < 0)
        assert check(user, "view", order).allowed is (seconds < 0)
        assert check_many(user, "view", [order])[0].allowed is (seconds < 0)
        assert Order.objects.permitted(user, "view").exists() is (seconds < 0)


def test_a_cached_no_expires_at_the_beginning_of_the_assignment(alice: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        assign_role(user=alice, role=make_role("reader", "shop.view_order"), valid_from=NOW + timedelta(hours=1))
        user = again(alice)
        assert not user.has_perm("shop.view_order")

        clock.move_to(NOW + timedelta(hours=1))

        assert user.has_perm("shop.view_order")


def test_a_moved_object_is_decided_again(alice: User) -> None:
    here, there = (Branch.objects.create(company=Company.objects.create(name=name)) for name in "ab")
    order = Order.objects.create(branch=here)
    assign_role(user=alice, role=make_role("reader", "shop.view_order"), scope=here.company)
    user = again(alice)
    assert check(user, "view", order)

    order.branch = there

    assert not check(user, "view", order)


def test_a_rollback_leaves_nothing_in_the_cache(alice: User) -> None:
    role = make_role("reader", "shop.view_order")
    other = make_role("other", "shop.add_order")
    with transaction.atomic():
        assign_role(user=alice, role=role)
        assert again(alice).has_perm("shop.view_order")
        transaction.set_rollback(True)
    assign_role(user=alice, role=other)

    assert not again(alice).has_perm("shop.view_order")


class Changes:
    """Permissions with a cached decision, and every way to take them away with Django."""

    def __init__(self, alice: User) -> None:
        self.alice, self.group = alice, Group.objects.create(name="readers")
        self.order, self.plan = Order.objects.create(), Plan.objects.create()
        self.role = make_role("reader", "shop.view_order")
        self.parent = make_role("parent", "shop.view_plan")

    def assigned(self) -> None:
        assign_role(user=self.alice, role=self.role)

    def by_group(self) -> None:
        self.alice.groups.add(self.group)
        assign_role(group=self.group, role=self.role)

    def by_parent(self) -> None:
        from auth_rbac.roles.roles import change_role  # noqa: PLC0415 - beside its use

        change_role(role=self.role, permissions=[], parents=[make_role("above", "shop.view_order")])
        self.assigned()

    def by_wildcard(self) -> None:
        self.role.permissions.clear()
        Wildcard.objects.create(role=self.role, app_label="shop")
        self.assigned()

    def for_object(self) -> None:
        assign_perm("shop.view_order", self.alice, self.order)

    def for_object_by_group(self) -> None:
        self.alice.groups.add(self.group)
        assign_perm("shop.view_order", self.group, self.order)


#: How a permission is given, and how it is taken away. The last four ways send no signal.
WAYS: dict[str, tuple[str, Callable[[Changes], Any]]] = {
    "revoke_role": ("assigned", lambda of: revoke_role(assignment=Assignment.objects.get(user=of.alice))),
    "delete of a row": ("assigned", lambda of: Assignment.objects.get(user=of.alice).delete()),
    "save of a row": ("assigned", lambda of: _end(Assignment.objects.get(user=of.alice))),
    "set of permissions": ("assigned", lambda of: of.role.permissions.set([])),
    "denial added": ("assigned", lambda of: of.role.denials.add(permission("shop.view_order"))),
    "role deleted": ("assigned", lambda of: of.role.delete()),
    "queryset of roles deleted": ("assigned", lambda of: Role.objects.filter(pk=of.role.pk).delete()),
    "group left": ("by_group", lambda of: of.alice.groups.set([])),
    "group cleared": ("by_group", lambda of: of.group.user_set.clear()),
    "group deleted": ("by_group", lambda of: of.group.delete()),
    "edge deleted": ("by_parent", lambda of: of.role.edges_up.all().delete()),
    "wildcard deleted": ("by_wildcard", lambda of: of.role.wildcards.all().delete()),
    "object permission deleted": ("for_object", lambda of: UserObjectPermission.objects.all().delete()),
    "group's object permission deleted": (
        "for_object_by_group",
        lambda of: GroupObjectPermission.objects.all().delete(),
    ),
    "update of assignments": ("assigned", lambda of: Assignment.objects.update(valid_until=Assignment.objects.get().valid_from + timedelta(microseconds=1))),
    "update of wildcards": ("by_wildcard", lambda of: Wildcard.objects.update(app_label="auth")),
    "bulk_create of wildcards": (
        "assigned",
        lambda of: Wildcard.objects.bulk_create([Wildcard(role=of.role, app_label="shop", denies=True)]),
    ),
}  # fmt: skip


def _end(assignment: Assignment) -> None:
    assignment.valid_until = assignment.valid_from + timedelta(microseconds=1)
    assignment.save()


@pytest.mark.parametrize("name", WAYS)
def test_a_removal_counts_on_the_next_request(name: str, alice: User) -> None:
    changes = Changes(alice)
    give, take = WAYS[name]
    getattr(changes, give)()
    warm = again(alice)
    assert check(warm, "view", changes.order)
    assert queries_of(lambda: check(warm, "view", changes.order)) == 0

    take(changes)

    assert not check(again(alice), "view", changes.order)


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE auth_rbac_assignment SET user_id = NULL, group_id = (SELECT min(id) FROM auth_group)",
        "DELETE FROM auth_rbac_assignment",
        "DELETE FROM auth_rbac_role_permissions",
        "TRUNCATE auth_rbac_assignment",
    ],
)
def test_changes_by_sql_count_as_well(statement: str, alice: User) -> None:
    changes = Changes(alice)
    changes.assigned()
    assert again(alice).has_perm("shop.view_order")

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)

    assert not again(alice).has_perm("shop.view_order")


@pytest.mark.postgresql
def test_a_missing_trigger_fails_a_check_and_misses_sql(alice: User) -> None:
    changes = Changes(alice)
    changes.assigned()
    assert again(alice).has_perm("shop.view_order")

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("DROP TRIGGER auth_rbac_on_delete ON auth_rbac_assignment")
        cursor.execute("DELETE FROM auth_rbac_assignment")

    assert again(alice).has_perm("shop.view_order"), "the planted defect must be detected"
    assert [(watched.table, operation) for watched, operation in triggers.missing()] == [
        ("auth_rbac_assignment", "DELETE")
    ]
    triggers.lay()
    assert triggers.missing() == []


@pytest.mark.postgresql
def test_a_bulk_insert_updates_each_person_once(alice: User, bob: User) -> None:
    view_order = permission("shop.view_order")
    rows = [
        UserObjectPermission(user=user, permission=view_order, content_type=view_order.content_type, object_pk=str(n))
        for user in (alice, bob)
        for n in range(1000)
    ]
    with CaptureQueriesContext(connection) as queries:
        UserObjectPermission.objects.bulk_create(rows)

    assert len(queries) == 1
    order = Order.objects.create(pk=7)
    assert check(again(alice), "view", order).reason is DecisionReason.OBJECT


def test_a_trusted_snapshot_saves_the_query_and_is_dropped_by_a_change(settings: Any, alice: User) -> None:
    settings.AUTH_RBAC = {**settings.AUTH_RBAC, "TRUST_SNAPSHOTS": True}
    assignment = assign_role(user=alice, role=make_role("reader", "shop.view_order"))
    again(alice).has_perm("shop.view_order")
    first = again(alice)
    carry_parts(first, {decision_cache.PART: decision_cache.versions_part(alice)})

    assert queries_of(lambda: first.has_perm("shop.view_order")) == 0
    revoke_role(assignment=assignment)
    second = again(alice)
    carry_parts(second, {decision_cache.PART: decision_cache.versions_part(alice)})
    assert not second.has_perm("shop.view_order")


def test_the_caches_are_bounded(settings: Any, alice: User, bob: User) -> None:
    settings.AUTH_RBAC = {**settings.AUTH_RBAC, "REMEMBERED_PEOPLE": 1, "REMEMBERED_ANSWERS": 3}
    decision_cache.forget_all()
    user = again(alice)
    for order in [Order.objects.create() for _n in range(10)]:
        check(user, "view", order)
    check(again(bob), "shop.view_order")

    assert len(decision_cache._subjects) == 1
    assert len(decision_cache.on_instance(user).answers) <= 3  # type: ignore[union-attr]  # it was asked before


def test_the_role_cache_is_emptied_when_it_is_full(alice: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(role_cache, "_MOST_ROLES", 0)
    order = Order.objects.create()
    assign_role(user=alice, role=make_role("reader", "shop.view_order", "shop.change_order"))

    for verb in ("view", "change", "view"):
        assert check(again(alice), verb, order)
        assert not check(again(bob), verb, order)
    assert role_cache.remembered("shop.change_order") is None, "the newest entry replaced it"


def test_many_assignments_do_not_change_the_decisions(alice: User) -> None:
    orders = [Order.objects.create() for _n in range(60)]
    role, no = make_role("reader", "shop.view_order"), create_role(name="no", denied_wildcards=["shop.*"])
    for order in orders:
        assign_role(user=alice, role=role, scope=order)
    assign_role(user=alice, role=no, scope=orders[3])
    warm = again(alice)
    check(warm, "shop.view_order")

    assert decision_cache.on_instance(warm).everywhere.scoped is None  # type: ignore[union-attr]  # it was asked before
    assert check_many(again(alice), "view", orders)[3].is_denied
    loop = again(alice)
    assert [loop.has_perm("shop.view_order", order) for order in orders] == [order != orders[3] for order in orders]
    for user in (warm, again(alice)):
        assert set(Order.objects.permitted(user, "view")) == {*orders} - {orders[3]}
        assert [bool(one) for one in check_many(user, "view", orders)] == [order != orders[3] for order in orders]
