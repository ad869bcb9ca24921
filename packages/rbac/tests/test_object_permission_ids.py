"""The ids of object permissions and of objects in the API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from guardian.models import UserObjectPermission

from auth_core.testing.browsers import post
from auth_rbac.decisions.decisions import check
from auth_rbac.objects.grants import permit
from auth_rbac.objects.object_ids import pack, unpack
from conftest import again, browser_of, delete_past_guards, held_by, permission, public
from object_permission_lists import EVERY, LIST, listed, rows
from robots.models import Robot
from shop.models import Company, Order, Paper, Plan

pytestmark = pytest.mark.django_db

Manager = Callable[..., User]


@pytest.mark.parametrize("packed", ["", "x", "eA", "é", "AAAA", "_" * 4000])
def test_an_invalid_id_is_404(packed: str, manager_of: Manager) -> None:
    assert browser_of(manager_of("carol", *EVERY)).get(f"{LIST}{packed or 'A'}/").status_code == 404


def test_only_the_canonical_id_is_accepted(manager_of: Manager, alice: User) -> None:
    carol, order = manager_of("carol", *EVERY), Order.objects.create()
    permit(holder=alice, permission="view", obj=order)
    (grant,), robot = listed(carol), Robot.objects.create(name="crawler")
    who, name, what, kind, key = unpack(grant["id"])
    browser = browser_of(carol)

    for parts in (
        (who, name.replace("-", ""), what, kind, key), (who, name, what, "shop.Order", key),
        (who, name, "view", kind, key), ("user", name, what, kind, key), (who, name, what, kind, f"0{key}"),
        (who, "x", what, kind, key), (who, name, what, "nothing", key), (who, name, "shop.nothing", kind, key),
        (who, name, what, kind), (who, name, what, kind, key, ""), ("group", name, what, kind, key), ("service", str(robot.pk), what, kind, key),
    ):  # fmt: skip
        assert browser.delete(f"{LIST}{pack(*parts)}/").status_code == 404, parts
    assert browser.delete(f"{LIST}{grant['id']}=/").status_code == 404
    assert rows() == 1
    assert browser.delete(f"{LIST}{grant['id']}/").status_code == 204


def test_responses_contain_no_internal_keys(manager_of: Manager, alice: User) -> None:
    carol, paper = manager_of("carol", *EVERY), Paper.objects.create()
    permit(holder=alice, permission="view", obj=paper)

    (grant,) = listed(carol)

    assert unpack(grant["id"]) == ["person", public(alice), "shop.view_paper", "shop.paper", str(paper.pk)]


def test_objects_are_named_by_the_configured_field(manager_of: Manager, alice: User, settings: Any) -> None:
    settings.AUTH_RBAC = {**settings.AUTH_RBAC, "WIRE_IDS": {"shop.company": "name"}}
    carol, company = manager_of("carol", *EVERY), Company.objects.create(name="north")
    gone = Company.objects.create(name="south")

    made = post(browser_of(carol), "object-permissions", holder=held_by(alice), permission="shop.view_company", object={"type": "shop.company", "id": "north"})  # fmt: skip
    permit(holder=alice, permission="view", obj=gone)
    key = gone.pk
    delete_past_guards(gone)

    assert made.json()["object"] == {"type": "shop.company", "id": "north"}
    assert check(again(alice), "view", company)
    assert {one["object"]["id"] for one in listed(carol)} == {"north", str(key)}, "a deleted object keeps its key"
    assert browser_of(carol).delete(made.headers["Location"]).status_code == 204


def test_rows_of_a_removed_model_are_listed(alice: User) -> None:
    kind = ContentType.objects.create(app_label="gone", model="thing")
    UserObjectPermission.objects.bulk_create([
        UserObjectPermission(user=alice, permission=permission("shop.view_order"), content_type=kind, object_pk="1")
    ])  # fmt: skip

    (grant,) = listed(User.objects.create_superuser("root"))

    assert grant["object"] == {"type": "gone.thing", "id": "1"}


def test_generic_rows_of_a_model_with_its_own_table_are_ignored(alice: User) -> None:
    plan = Plan.objects.create()
    UserObjectPermission.objects.bulk_create([
        UserObjectPermission(
            user=alice, permission=permission("shop.view_plan"), object_pk=str(plan.pk),
            content_type=ContentType.objects.get_for_model(Plan),
        )
    ])  # fmt: skip

    assert not check(again(alice), "view", plan)
    assert listed(User.objects.create_superuser("root")) == []
