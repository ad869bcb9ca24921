"""The access report is complete, whichever table a permission is in, and keeps nothing in memory."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from auth_core.people.lookup import identity_of
from auth_core.testing.counts import counted
from auth_rbac.explanations import report
from auth_rbac.objects.grants import permit
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role
from conftest import held_by, make_role, permission, public
from shop.models import Company, Order, Paper, Plan

pytestmark = pytest.mark.django_db


def report_rows(*columns: str) -> set[tuple[Any, ...]]:
    return {tuple(row[column] for column in columns) for row in report.rows()}


def test_the_report_covers_every_table(alice: User, bob: User) -> None:
    readers, order, paper, plan = Group.objects.create(name="readers"), Order(), Paper(), Plan()
    for obj in (order, paper, plan):
        obj.save()
        permit(holder=alice, permission="view", obj=obj)
        permit(holder=readers, permission="view", obj=obj)
    alice.user_permissions.add(permission("shop.add_order"))
    readers.permissions.add(permission("shop.add_paper"))
    root = User.objects.create_superuser("root")

    who = {public(alice): "alice", public(root): "root", held_by(readers)["id"]: "readers"}
    columns = ("holder", "source", "permission", "scope")
    rows = {(who[holder], *rest) for holder, *rest in report_rows(*columns)}

    assert rows == {
        ("root", "superuser", "*", "everywhere"),
        ("alice", "alone", "shop.add_order", "everywhere"),
        ("readers", "alone", "shop.add_paper", "everywhere"),
        *(
            (holder, "object", f"shop.view_{obj._meta.model_name}", f"{obj._meta.label_lower}:{obj.pk}")
            for holder in ("alice", "readers")
            for obj in (order, paper, plan)
        ),
    }


def test_the_report_lists_the_content_of_roles_and_whether_it_is_in_force(alice: User, bob: User) -> None:
    company, now = Company.objects.create(name="here"), timezone.now()
    above = create_role(name="above", denials=[permission("shop.delete_order")], wildcards=["shop.paper.*"])
    role = make_role("below", "shop.view_order", parents=[above])
    readers = Group.objects.create(name="readers")
    assign_role(user=alice, role=role, granted_by=User.objects.create_superuser("root"), reason="hired")
    assign_role(group=readers, role=role, scope=company, valid_from=now + timedelta(hours=1))
    assign_role(user=bob, role=above, valid_from=now - timedelta(hours=2), valid_until=now - timedelta(hours=1))

    rows = report_rows("holder", "name", "effect", "permission", "through", "scope", "in_force", "reason")

    statements = [
        ("allows", "shop.view_order", "below"),
        ("denies", "shop.delete_order", "below > above"),
        ("allows", "shop.paper.*", "below > above"),
    ]
    of_bob = {("denies", "shop.delete_order"), ("allows", "shop.paper.*")}
    assert {row for row in rows if row[3] != "*"} == {
        *((public(alice), "", *one, "everywhere", True, "hired") for one in statements),
        *((held_by(readers)["id"], "readers", *one, f"shop.company:{company.pk}", False, "") for one in statements),
        *((public(bob), "", *one, "above", "everywhere", False, "") for one in of_bob),
    }


@pytest.mark.parametrize("page_size", [1, 2, 5, 2000])
def test_the_report_reads_every_page(page_size: int, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = [Order.objects.create() for _n in range(5)]
    for order in orders:
        permit(holder=alice, permission="view", obj=order)
    monkeypatch.setattr(report, "_PAGE_SIZE", page_size)

    assert [row["scope"] for row in report.rows()] == [f"shop.order:{order.pk}" for order in orders]


def test_the_queries_of_the_report_do_not_grow_with_the_rows(alice: User, bob: User) -> None:
    role = make_role("reader", "shop.view_order")
    for person in (alice, bob):
        identity_of(person)

    def queries_with(more: int) -> int:
        for _n in range(more):
            order = Order.objects.create()
            assign_role(user=alice, role=role, scope=order, granted_by=None)
            assign_role(user=bob, role=role, scope=order)
            permit(holder=alice, permission="view", obj=order)
        for row in (alice, bob):
            row.user_permissions.add(permission("shop.view_order"))
        ContentType.objects.clear_cache()
        with counted() as counts:
            assert len(list(report.rows())) >= more
        return counts.queries

    assert queries_with(2) == queries_with(30)
