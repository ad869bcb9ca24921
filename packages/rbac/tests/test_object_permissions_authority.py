"""Who may grant, see and withdraw which object permissions over the API."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from hypothesis import HealthCheck, example, given, settings
from hypothesis.extra.django import TestCase

from auth_core.testing.browsers import post
from auth_rbac.decisions.visibility import reaches
from auth_rbac.models import Wildcard
from auth_rbac.objects.grants import permit
from auth_rbac.objects.object_ids import pack
from auth_rbac.objects.object_list import SEES, object_rows
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role
from conftest import again, browser_of, held_by, make_role, named, permission, public
from object_permission_lists import LIST, listed, rows
from shop.models import Branch, Company, Order, Paper, Plan
from worlds import NOW, World, build, plans
from worlds import Plan as WorldPlan

pytestmark = pytest.mark.django_db

Manager = Callable[..., User]


@pytest.mark.asvs("8.2.1")
def test_a_permission_that_is_not_held_cannot_be_given_or_taken(manager_of: Manager, alice: User) -> None:
    carol, order = manager_of("carol", "shop.view_order"), Order.objects.create()
    permit(holder=alice, permission="change", obj=order)
    (grant,) = listed(carol)

    body = {"holder": held_by(alice), "permission": "shop.delete_order", "object": named(order)}

    assert post(browser_of(carol), "object-permissions", **body).status_code == 403
    assert post(browser_of(carol), "object-permissions", **{**body, "holder": held_by(carol)}).status_code == 403
    assert browser_of(carol).delete(f"{LIST}{grant['id']}/").status_code == 403
    assert rows() == 1


@pytest.mark.asvs("8.2.1")
def test_each_method_requires_its_own_permission(alice: User, bob: User) -> None:
    order = Order.objects.create()
    permit(holder=bob, permission="view", obj=order)
    one = f"{LIST}{pack('person', public(bob), 'shop.view_order', 'shop.order', str(order.pk))}/"
    readers = Group.objects.create(name="readers")
    body = {"holder": held_by(readers), "permission": "shop.view_order", "object": named(order)}
    assert browser_of(alice).get(LIST).status_code == 403, "a person without permissions"
    own = {verb: create_role(name=verb, permissions=[permission(f"auth_rbac.{verb}_assignment")]) for verb in ("view", "add", "delete")}  # fmt: skip
    assign_role(user=alice, role=create_role(name="reads", permissions=[permission("shop.view_order")]))

    answers = {}
    for verb, role in own.items():
        grant = assign_role(user=alice, role=role)
        browser = browser_of(alice)
        made = browser.post(LIST, body, content_type="application/json")
        answers[verb] = (browser.get(LIST).status_code, browser.get(one).status_code, made.status_code, browser.delete(one).status_code)  # fmt: skip
        grant.delete()

    assert answers == {"view": (200, 200, 403, 403), "add": (403, 403, 201, 403), "delete": (403, 403, 403, 204)}


@pytest.mark.asvs("8.2.2")
@pytest.mark.asvs("8.4.1")
def test_a_manager_of_one_company_sees_and_changes_nothing_of_another(manager_of: Manager, alice: User) -> None:
    here, there = Company.objects.create(name="here"), Company.objects.create(name="there")
    mine, theirs = (Order.objects.create(branch=Branch.objects.create(company=one)) for one in (here, there))
    paper, plan = Paper.objects.create(), Plan.objects.create()
    carol = manager_of("carol", "shop.view_order", "shop.view_company", scope=here)
    for obj in (mine, theirs, here, there, paper, plan):
        permit(holder=alice, permission="view", obj=obj)
    browser, unknown = browser_of(carol), named(mine) | {"id": "999999"}

    def address(obj: dict[str, str]) -> str:
        return f"{LIST}{pack('person', public(alice), 'shop.view_order', obj['type'], obj['id'])}/"

    same = [
        [browser.get(address(one)) for one in (named(theirs), unknown)],
        [browser.delete(address(one)) for one in (named(theirs), unknown)],
        [browser.get(f"{LIST}?type={one['type']}&id={one['id']}") for one in (named(theirs), unknown)],
        [post(browser_of(carol), "object-permissions", holder=held_by(alice), permission="shop.view_order", object=one) for one in (named(theirs), unknown)],
    ]  # fmt: skip

    for answers in same:
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.json()["detail"] for answer in answers}) == 1
    visible = {(one["object"]["type"], one["object"]["id"]) for one in listed(carol)}
    assert visible == {("shop.order", str(mine.pk)), ("shop.company", str(here.pk))}
    assert rows() == 6
    assert browser.delete(address(named(mine))).status_code == 204


def test_scopes_with_uuid_keys_or_their_own_tables_are_visible(manager_of: Manager, alice: User) -> None:
    papers, plans = [[model.objects.create() for _n in range(2)] for model in (Paper, Plan)]  # type: ignore[attr-defined]  # models have it
    for obj in (*papers, *plans):
        permit(holder=alice, permission="view", obj=obj)

    for number, obj in enumerate((papers[0], plans[1])):
        carol = manager_of(f"carol {number}", scope=obj)
        assert [one["object"] for one in listed(carol)] == [named(obj)]


def test_a_denial_for_one_company_hides_only_that_company(manager_of: Manager, alice: User) -> None:
    here, there = Company.objects.create(name="here"), Company.objects.create(name="there")
    mine, theirs = (Order.objects.create(branch=Branch.objects.create(company=one)) for one in (here, there))
    carol, paper = manager_of("carol"), Paper.objects.create()
    for obj in (mine, theirs, there, paper):
        permit(holder=alice, permission="view", obj=obj)

    assign_role(user=carol, role=create_role(name="not there", denied_wildcards=["auth_rbac.*"]), scope=there)

    assert {one["object"]["id"] for one in listed(carol)} == {str(mine.pk), str(paper.pk)}


def test_djangos_own_view_permission_shows_what_no_role_denies(alice: User, bob: User) -> None:
    here, there, paper = (
        Company.objects.create(name="here"),
        Company.objects.create(name="there"),
        Paper.objects.create(),
    )
    looks = make_role("looks", "auth_rbac.view_assignment")
    alice.user_permissions.add(permission("auth_rbac.view_assignment"), permission("auth_rbac.delete_assignment"))
    assign_role(user=alice, role=looks, scope=here)
    for obj in (here, there, paper):
        permit(holder=bob, permission="view", obj=obj)
    assert {one["object"]["id"] for one in listed(alice)} == {str(here.pk), str(there.pk), str(paper.pk)}

    assign_role(user=alice, role=create_role(name="not there", denied_wildcards=["auth_rbac.*"]), scope=there)
    browser, visible = browser_of(alice), {one["object"]["id"]: one["id"] for one in listed(alice)}

    assert set(visible) == {str(here.pk), str(paper.pk)}
    assert {browser.get(f"{LIST}{one}/").status_code for one in visible.values()} == {200}
    assert browser.delete(f"{LIST}{visible[str(paper.pk)]}/").status_code == 403, (
        "it is visible, but they may not withdraw it"
    )
    hidden = pack("person", public(bob), "shop.view_company", "shop.company", str(there.pk))
    assert browser.get(f"{LIST}{hidden}/").status_code == browser.delete(f"{LIST}{hidden}/").status_code == 404


def _let_see(world: World) -> None:
    """Extend every permission and denial of the world to `SEES`."""
    for role in world.roles:
        for content in (role.permissions, role.denials):
            if content.exists():
                content.add(permission(SEES))
    for wildcard in Wildcard.objects.all():
        Wildcard.objects.get_or_create(role=wildcard.role, app_label="auth_rbac", denies=wildcard.denies)
    for person in world.people:
        if person.user_permissions.exists():
            person.user_permissions.add(permission(SEES))


def _held(*assignments: tuple[int, int]) -> WorldPlan:
    """Return a plan in which one person holds roles in scopes of `worlds.build`: role 0 allows, role 1 denies."""
    return WorldPlan(
        edges=[], permissions=[(0, 0)], denials=[(1, 0)], wildcards=[], members=[], objects=[], alone=[],
        assignments=[(False, 0, role, scope, -1, None) for role, scope in assignments],
    )  # fmt: skip


class WhatIsListed(TestCase):
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(plan=plans)
    @example(plan=_held((0, 0), (1, 5)))  # everywhere, and not in a branch
    @example(plan=_held((0, 6), (1, 2)))  # in a company, and not for an order of it
    @time_machine.travel(NOW, tick=False)
    def test_matches_the_decision_for_each_object(self, plan: Any) -> None:
        world = build(plan)
        _let_see(world)
        branches, companies = Branch.objects.all(), Company.objects.all()
        objects = [*world.orders, *branches, *companies, Plan.objects.create(), Paper.objects.create()]
        for obj in objects:
            permit(holder=world.groups[0], permission="view", obj=obj)

        for person in world.people:
            expected = {(obj._meta.label_lower, str(obj.pk)) for obj in objects if reaches(again(person), SEES, obj)}
            rows = object_rows(seen_by=again(person))[0:1000]
            assert {(row.kind, row.key) for row in rows} == expected


def test_a_caller_who_may_view_an_object_but_not_its_holders_is_refused(manager_of: Manager) -> None:
    company, order = Company.objects.create(name="here"), Order.objects.create()
    carol = manager_of("carol", scope=company)
    permit(holder=carol, permission="view", obj=order)

    assert browser_of(carol).get(f"{LIST}?type=shop.order&id={order.pk}").status_code == 403
