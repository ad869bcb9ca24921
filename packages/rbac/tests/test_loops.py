"""A loop over objects takes no more queries than a page of them, if the person's roles decide."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from auth_rbac.decisions.decision import DecisionReason
from auth_rbac.decisions.decisions import check, check_many
from auth_rbac.objects.grants import permit
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role
from conftest import again, make_role, permission
from shop.models import Branch, Company, Order

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def orders(db: None) -> list[Order]:
    """Three hundred orders in two branches of one company."""
    company = Company.objects.create(name="x")
    branches = [Branch.objects.create(company=company) for _n in range(2)]
    ContentType.objects.get_for_models(Order, Branch, Company)
    return Order.objects.bulk_create(Order(branch=branches[n % 2]) for n in range(300))


def loop(user: User, orders: list[Order]) -> tuple[list[DecisionReason], int]:
    """Decide for each order in a new request. Return the reasons and the number of queries."""
    person: Any = again(user)
    loaded = list(
        Order.objects.select_related("branch__company").filter(pk__in=[order.pk for order in orders]).order_by("pk")
    )
    with CaptureQueriesContext(connection) as queries:
        reasons = [check(person, "view", order).reason for order in loaded]
    return reasons, len(queries)


def test_a_loop_over_300_objects_takes_one_query_if_a_role_decides(alice: User, orders: list[Order]) -> None:
    assign_role(user=alice, role=make_role("reader", "shop.view_order"))

    assert loop(alice, orders) == ([DecisionReason.ROLE] * 300, 1)
    assert loop(alice, orders) == ([DecisionReason.ROLE] * 300, 1), "the next request reads the versions"


def test_has_perm_in_a_loop_takes_one_query_under_a_global_role(alice: User, orders: list[Order]) -> None:
    assign_role(user=alice, role=make_role("reader", "shop.view_order"))
    person: Any = again(alice)

    with CaptureQueriesContext(connection) as queries:
        allowed = [person.has_perm("shop.view_order", order) for order in orders]

    assert all(allowed)
    assert len(queries) == 1


def test_a_role_that_denies_everywhere_decides_a_loop(alice: User, orders: list[Order]) -> None:
    permit(holder=alice, permission="view", obj=orders[0])
    assign_role(user=alice, role=create_role(name="no", denials=[permission("shop.view_order")]))

    assert loop(alice, orders) == ([DecisionReason.DENIED] * 300, 1)


def test_a_denial_in_one_scope_counts_in_a_loop(alice: User, orders: list[Order]) -> None:
    denying = create_role(name="no", denied_wildcards=["shop.*"])
    assign_role(user=alice, role=make_role("reader", "shop.view_order"))
    assign_role(user=alice, role=denying, scope=orders[0].branch)
    assign_role(user=alice, role=denying, scope=orders[5])

    reasons, queries = loop(alice, orders)

    assert reasons == [DecisionReason.DENIED if n % 2 == 0 or n == 5 else DecisionReason.ROLE for n in range(300)]
    assert queries == 1


def test_a_role_in_an_outer_scope_decides_a_loop(alice: User, orders: list[Order]) -> None:
    assign_role(user=alice, role=make_role("reader", "shop.view_order"), scope=orders[0].branch.company)  # type: ignore[union-attr]  # the branch has a company

    assert loop(alice, orders) == ([DecisionReason.ROLE] * 300, 1)


def test_without_a_deciding_role_each_object_takes_a_query(alice: User, orders: list[Order]) -> None:
    permit(holder=alice, permission="view", obj=orders[3])

    reasons, queries = loop(alice, orders[:10])

    assert reasons == [DecisionReason.OBJECT if n == 3 else DecisionReason.NOTHING for n in range(10)]
    assert queries == 10


def test_a_denial_counts_in_a_loop_with_many_assignments(alice: User, orders: list[Order]) -> None:
    denying = create_role(name="no", denied_wildcards=["shop.*"])
    assign_role(user=alice, role=make_role("reader", "shop.view_order"))
    for order in orders[:60]:
        assign_role(user=alice, role=denying, scope=order)

    reasons, _queries = loop(alice, orders[:70])

    assert reasons == [DecisionReason.DENIED] * 60 + [DecisionReason.ROLE] * 10


def test_djangos_own_permission_does_not_count_for_objects_in_a_loop(alice: User, orders: list[Order]) -> None:
    alice.user_permissions.add(permission("shop.view_order"))

    assert loop(alice, orders[:3])[0] == [DecisionReason.NOTHING] * 3


def test_djangos_own_permission_does_not_count_for_objects_after_a_question_everywhere(
    alice: User, orders: list[Order]
) -> None:
    alice.user_permissions.add(permission("shop.view_order"))
    user = again(alice)

    assert user.has_perm("shop.view_order")
    assert not any(check(user, "view", order) for order in orders[:3])


def test_decisions_of_a_loop_expire_with_the_role(alice: User, orders: list[Order]) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        role = make_role("reader", "shop.view_order")
        assign_role(user=alice, role=role, valid_until=NOW + timedelta(hours=1))
        user = again(alice)
        assert all(check(user, "view", order) for order in orders[:3])

        clock.move_to(NOW + timedelta(hours=1))

        assert not any(check(user, "view", order) for order in orders[:3])


def test_a_page_takes_no_unnecessary_queries(alice: User, orders: list[Order]) -> None:
    permit(holder=alice, permission="view", obj=orders[3])
    user = again(alice)

    with CaptureQueriesContext(connection) as queries:
        first, second = (check_many(user, "view", part) for part in (orders[:50], orders[50:100]))

    assert [n for n, one in enumerate([*first, *second]) if one] == [3]
    assert len(queries) == 2
