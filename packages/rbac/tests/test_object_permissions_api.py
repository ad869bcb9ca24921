"""The API for object permissions: grant, list and withdraw, each with the required permission."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from guardian.models import GroupObjectPermission, UserObjectPermission
from guardian.shortcuts import assign_perm
from hypothesis import HealthCheck, example, given, settings
from hypothesis.extra.django import TestCase

from auth_core.people.lookup import identity_of
from auth_core.testing.browsers import post
from auth_core.testing.counts import counted
from auth_core.testing.parallel import ROUNDS, one_winner
from auth_core.testing.plans import unindexed
from auth_rbac.decisions.decisions import check
from auth_rbac.decisions.visibility import reaches
from auth_rbac.events import RbacEvent
from auth_rbac.models import Wildcard
from auth_rbac.objects import grants
from auth_rbac.objects.grants import permit, withdraw
from auth_rbac.objects.object_ids import pack, unpack
from auth_rbac.objects.object_list import SEES, object_rows
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role
from conftest import again, browser_of, delete_past_guards, make_role, named, permission, public
from shop.models import Branch, Company, Order, Paper, Plan, PlanGroupPermission, PlanUserPermission
from worlds import NOW, World, build, plans
from worlds import Plan as WorldPlan

pytestmark = pytest.mark.django_db

Manager = Callable[..., User]

LIST = "/api/v1/object-permissions/"
EVERY = ("shop.view_order", "shop.change_order", "shop.view_paper", "shop.view_plan", "shop.view_company")


def listed(caller: User, query: str = "") -> list[dict[str, Any]]:
    answer = browser_of(caller).get(f"{LIST}{query}")
    assert answer.status_code == 200, answer.content
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def rows() -> int:
    tables = (UserObjectPermission, GroupObjectPermission, PlanUserPermission, PlanGroupPermission)
    return sum(table.objects.count() for table in tables)


@pytest.mark.asvs("8.3.1")
@pytest.mark.parametrize("model", [Order, Paper, Plan])
@pytest.mark.parametrize("by_group", [False, True])
def test_an_object_permission_is_given_listed_and_taken_away(
    model: Any, by_group: bool, manager_of: Manager, alice: User, recorded_events: list[Any]
) -> None:
    carol, obj = manager_of("carol", *EVERY), model.objects.create()
    readers = Group.objects.create(name="readers / ünïcode")
    alice.groups.add(readers)
    holder = {"group": readers.name} if by_group else {"user": public(alice)}
    name = f"shop.view_{model._meta.model_name}"

    made = post(browser_of(carol), "object-permissions", permission=name, object=named(obj), **holder)

    assert made.status_code == 201
    assert made.json() == {"id": made.json()["id"], "user": None, "group": None, **holder, "permission": name, "object": named(obj)}  # fmt: skip
    assert listed(carol) == [made.json()]
    assert browser_of(carol).get(made.headers["Location"]).json() == made.json()
    assert check(again(alice), name, obj)
    assert (
        post(browser_of(carol), "object-permissions", permission=name, object=named(obj), **holder).status_code == 409
    )
    assert browser_of(carol).delete(made.headers["Location"]).status_code == 204
    assert browser_of(carol).delete(made.headers["Location"]).status_code == 404
    assert browser_of(carol).get(made.headers["Location"]).status_code == 404
    assert not check(again(alice), name, obj)
    events = [event for event in recorded_events if event.name.startswith("rbac.object.")]
    assert [event.name for event in events] == [RbacEvent.OBJECT_PERMITTED, RbacEvent.OBJECT_WITHDRAWN]
    assert {event.actor.pk for event in events} == {carol.pk}


def test_a_list_is_filtered(manager_of: Manager, alice: User, bob: User) -> None:
    carol, (first, second), plan = manager_of("carol", *EVERY), [Order.objects.create() for _n in range(2)], Plan()
    plan.save()
    readers = Group.objects.create(name="readers")
    for holder, name, obj in (
        (alice, "view", first), (alice, "change", first), (alice, "view", second), (bob, "view", second),
        (bob, "view", plan), (readers, "view", first), (readers, "view", plan),
    ):  # fmt: skip
        permit(holder=holder, permission=name, obj=obj)

    def holders_of(query: str) -> set[tuple[str, str, str]]:
        called = {public(alice): "alice", public(bob): "bob", None: "readers"}
        return {(called[one["user"]], one["permission"], one["object"]["id"]) for one in listed(carol, query)}

    a, b, p = str(first.pk), str(second.pk), str(plan.pk)
    assert len(holders_of("")) == 7
    assert holders_of(f"?user={public(alice)}&permission=shop.view_order") == {
        ("alice", "shop.view_order", a), ("alice", "shop.view_order", b),
    }  # fmt: skip
    assert holders_of("?group=readers") == {("readers", "shop.view_order", a), ("readers", "shop.view_plan", p)}
    assert holders_of(f"?type=shop.order&id={a}&permission=shop.view_order") == {
        ("alice", "shop.view_order", a), ("readers", "shop.view_order", a),
    }  # fmt: skip
    assert holders_of("?type=shop.plan") == {("bob", "shop.view_plan", p), ("readers", "shop.view_plan", p)}
    assert holders_of(f"?type=shop.plan&id={p}&user={public(bob)}") == {("bob", "shop.view_plan", p)}
    assert holders_of("?group=nobody") == set()
    assert holders_of(f"?user={uuid4()}") == set()


def test_pagination_goes_through_every_table_and_back(manager_of: Manager, alice: User) -> None:
    carol, readers = manager_of("carol", *EVERY), Group.objects.create(name="readers")
    for model in (Order, Paper, Plan):
        for holder in (alice, readers):
            permit(holder=holder, permission="view", obj=model.objects.create())
            permit(holder=holder, permission="view", obj=model.objects.create())
    browser, whole = browser_of(carol), [one["id"] for one in listed(carol)]

    address, forth = f"{LIST}?page_size=5", list[Any]()
    while address:
        page = browser.get(address).json()
        forth, last, address = [*forth, [one["id"] for one in page["results"]]], page, page["next"]
    back = browser.get(last["previous"]).json()

    assert len(whole) == len(set(whole)) == 12
    assert forth == [whole[:5], whole[5:10], whole[10:]]
    assert [one["id"] for one in back["results"]] == forth[1]
    assert [one["id"] for one in browser.get(back["previous"]).json()["results"]] == forth[0]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?surprise=1", 400),
        ("?user=1", 400),
        (f"?user={uuid4()}&group=readers", 400),
        ("?permission=shop.nothing", 400),
        ("?permission=view", 400),
        ("?type=shop.nothing", 400),
        ("?id=1", 400),
        ("?type=shop.order&id=999999", 404),
        ("?type=shop.order&id=x", 404),
        ("?cursor=x", 400),
        ("?cursor=cD1ndWFyZGlhbl91c2Vyb2JqZWN0cGVybWlzc2lvbjp4", 400),  # p=guardian_userobjectpermission:x
        ("?page_size=0", 400),
        ("?group=a&group=b", 400),
    ],
)
def test_invalid_filters_are_refused(query: str, status: int, manager_of: Manager) -> None:
    answer = browser_of(manager_of("carol", *EVERY)).get(f"{LIST}{query}")

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"permission": "shop.nothing"}, 400),
        ({"permission": "view"}, 400),
        ({"permission": "shop.view_paper"}, 400),  # there is one, and not for orders
        ({"permission": ""}, 400),
        ({"permission": 1}, 400),
        ({"user": str(uuid4())}, 404),
        ({"user": "1"}, 400),
        ({"user": None}, 400),
        ({"user": None, "group": "nobody"}, 400),
        ({"group": "readers"}, 400),  # a person as well
        ({"object": {"type": "shop.order", "id": "999999"}}, 404),
        ({"object": {"type": "shop.order", "id": "x"}}, 404),
        ({"object": {"type": "shop.nothing", "id": "1"}}, 400),
        ({"object": {"type": "shop.order"}}, 400),
        ({"object": None}, 400),
        ({"object": {"type": "shop.order", "id": "1", "as": "root"}}, 400),
        ({"granted_by": str(uuid4())}, 400),
        ({"actor": str(uuid4())}, 400),
        ({"valid_until": "2030-01-01T00:00:00Z"}, 400),
    ],
)
def test_invalid_input_grants_nothing(change: dict[str, Any], status: int, manager_of: Manager, alice: User) -> None:
    carol, order = manager_of("carol", *EVERY), Order.objects.create()
    Group.objects.create(name="readers")

    body = {"user": public(alice), "permission": "shop.view_order", "object": named(order), **change}
    refused = post(browser_of(carol), "object-permissions", **body)

    assert refused.status_code == status
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert rows() == 0


def test_a_grant_needs_exactly_one_holder(manager_of: Manager) -> None:
    body = {"permission": "shop.view_order", "object": named(Order.objects.create())}

    refused = post(browser_of(manager_of("carol", *EVERY)), "object-permissions", **body)

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "one_holder")
    assert post(browser_of(manager_of("dave", *EVERY)), "object-permissions", group="nobody", **body).status_code == 404


@pytest.mark.asvs("8.2.1")
def test_a_permission_that_is_not_held_cannot_be_given_or_taken(manager_of: Manager, alice: User) -> None:
    carol, order = manager_of("carol", "shop.view_order"), Order.objects.create()
    permit(holder=alice, permission="change", obj=order)
    (grant,) = listed(carol)

    body = {"user": public(alice), "permission": "shop.delete_order", "object": named(order)}

    assert post(browser_of(carol), "object-permissions", **body).status_code == 403
    assert post(browser_of(carol), "object-permissions", **{**body, "user": public(carol)}).status_code == 403
    assert browser_of(carol).delete(f"{LIST}{grant['id']}/").status_code == 403
    assert rows() == 1


@pytest.mark.asvs("8.2.1")
def test_each_method_requires_its_own_permission(alice: User, bob: User) -> None:
    order = Order.objects.create()
    permit(holder=bob, permission="view", obj=order)
    one = f"{LIST}{pack('user', public(bob), 'shop.view_order', 'shop.order', str(order.pk))}/"
    body = {"group": "readers", "permission": "shop.view_order", "object": named(order)}
    Group.objects.create(name="readers")
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
        return f"{LIST}{pack('user', public(alice), 'shop.view_order', obj['type'], obj['id'])}/"

    same = [
        [browser.get(address(one)) for one in (named(theirs), unknown)],
        [browser.delete(address(one)) for one in (named(theirs), unknown)],
        [browser.get(f"{LIST}?type={one['type']}&id={one['id']}") for one in (named(theirs), unknown)],
        [post(browser_of(carol), "object-permissions", user=public(alice), permission="shop.view_order", object=one) for one in (named(theirs), unknown)],
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
    hidden = pack("user", public(bob), "shop.view_company", "shop.company", str(there.pk))
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


@pytest.mark.parametrize("packed", ["", "x", "eA", "é", "AAAA", "_" * 4000])
def test_an_invalid_id_is_404(packed: str, manager_of: Manager) -> None:
    assert browser_of(manager_of("carol", *EVERY)).get(f"{LIST}{packed or 'A'}/").status_code == 404


def test_only_the_canonical_id_is_accepted(manager_of: Manager, alice: User) -> None:
    carol, order = manager_of("carol", *EVERY), Order.objects.create()
    permit(holder=alice, permission="view", obj=order)
    (grant,) = listed(carol)
    who, name, what, kind, key = unpack(grant["id"])
    browser = browser_of(carol)

    for parts in (
        (who, name.replace("-", ""), what, kind, key), (who, name, what, "shop.Order", key),
        (who, name, "view", kind, key), ("person", name, what, kind, key), (who, name, what, kind, f"0{key}"),
        (who, "x", what, kind, key), (who, name, what, "nothing", key), (who, name, "shop.nothing", kind, key),
        (who, name, what, kind), (who, name, what, kind, key, ""), ("group", name, what, kind, key),
    ):  # fmt: skip
        assert browser.delete(f"{LIST}{pack(*parts)}/").status_code == 404, parts
    assert browser.delete(f"{LIST}{grant['id']}=/").status_code == 404
    assert rows() == 1
    assert browser.delete(f"{LIST}{grant['id']}/").status_code == 204


def test_responses_contain_no_internal_keys(manager_of: Manager, alice: User) -> None:
    carol, paper = manager_of("carol", *EVERY), Paper.objects.create()
    permit(holder=alice, permission="view", obj=paper)

    (grant,) = listed(carol)

    assert unpack(grant["id"]) == ["user", public(alice), "shop.view_paper", "shop.paper", str(paper.pk)]


def test_objects_are_named_by_the_configured_field(manager_of: Manager, alice: User, settings: Any) -> None:
    settings.AUTH_RBAC = {**settings.AUTH_RBAC, "WIRE_IDS": {"shop.company": "name"}}
    carol, company = manager_of("carol", *EVERY), Company.objects.create(name="north")
    gone = Company.objects.create(name="south")

    made = post(browser_of(carol), "object-permissions", user=public(alice), permission="shop.view_company", object={"type": "shop.company", "id": "north"})  # fmt: skip
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


def test_the_number_of_queries_does_not_depend_on_the_rows(manager_of: Manager, alice: User) -> None:
    carol, orders = manager_of("carol", *EVERY), [Order.objects.create() for _n in range(60)]
    root, readers = User.objects.create_superuser("root"), Group.objects.create(name="readers")
    for order in orders:
        permit(holder=alice, permission="view", obj=order)
        permit(holder=readers, permission="view", obj=order)
    for user in (alice, carol, root):
        identity_of(user)
    ContentType.objects.get_for_models(Order, Paper, Plan, Company, Branch)
    requests = {
        "a page": lambda browser: browser.get(f"{LIST}?page_size=50"),
        "of a person": lambda browser: browser.get(f"{LIST}?user={public(alice)}&page_size=50"),
        "of an object": lambda browser: browser.get(f"{LIST}?type=shop.order&id={orders[0].pk}"),
        "granted": lambda browser: browser.post(
            LIST,
            {"user": public(carol), "permission": "shop.view_order", "object": named(orders[0])},
            content_type="application/json",
        ),
        "withdrawn": lambda browser: browser.delete(
            f"{LIST}{pack('user', public(carol), 'shop.view_order', 'shop.order', str(orders[0].pk))}/"
        ),
    }

    queries = {}
    for caller in (root, carol):
        browser = browser_of(caller)
        for name, call in requests.items():
            with counted() as counts:
                assert call(browser).status_code in (200, 201, 204)
            queries[name, caller.username] = counts.queries

    at_most = {
        # Session and person. Then one query for each of guardian's tables, of which the test site has four.
        "a page": (6, 10), "of a person": (6, 10), "of an object": (6, 11),
        # The named objects, what the caller holds (again under the lock, at each moment of change), the change, and
        # its versions. A grant also locks the row of its object.
        "granted": (15, 21), "withdrawn": (14, 20),
    }  # fmt: skip
    for name, (of_root, of_carol) in at_most.items():
        assert queries[name, "root"] <= of_root, (name, queries)
        assert queries[name, "carol"] <= of_carol, (name, queries)


@pytest.mark.postgresql
def test_every_filter_uses_an_index(manager_of: Manager, alice: User) -> None:
    order, root = Order.objects.create(), User.objects.create_superuser("root")
    readers = Group.objects.create(name="readers")
    for filters in ({"holder": alice}, {"holder": readers}, {"obj": order}, {"obj": order, "holder": alice}):
        assert unindexed(lambda filters=filters: object_rows(seen_by=root, **filters)[0:51]) == [], filters  # type: ignore[misc]  # a lambda's default has no type


def test_repeated_grants_and_withdrawals_are_recorded_once(alice: User, recorded_events: list[Any]) -> None:
    order, instance = Order.objects.create(), again(alice)
    assert not check(instance, "view", order)

    assert [permit(holder=instance, permission="view", obj=order) for _n in range(2)] == [True, False]
    assert check(instance, "view", order), "the instance of the holder reads the versions again"
    assert [withdraw(holder=instance, permission="view", obj=order) for _n in range(2)] == [True, False]

    assert not check(instance, "view", order)
    assert len(recorded_events) == 2


def test_assign_perm_and_permit_write_the_same_row(alice: User) -> None:
    order = Order.objects.create()
    assign_perm("shop.view_order", alice, order)

    assert not permit(holder=alice, permission="view", obj=order)
    assert withdraw(holder=alice, permission="view", obj=order)
    assert rows() == 0


def give_at_once(number: int) -> list[Any]:
    """Return four concurrent grants of the same permission to the same person, two of them by the site itself."""
    order, roots = (
        Order.objects.create(),
        [None, None, *(User.objects.create_superuser(f"root {number} {n}") for n in "ab")],
    )
    person = User.objects.create_user(f"person {number}")
    return [lambda root=root: permit(holder=person, permission="view", obj=order, actor=root) for root in roots]  # type: ignore[misc]  # the type of a default argument is not inferred


def take_at_once(number: int) -> list[Any]:
    """Return four concurrent withdrawals of the same permission from the same person, one of them by the site itself."""
    order, roots = Order.objects.create(), [None, *(User.objects.create_superuser(f"root {number} {n}") for n in "abc")]
    person = User.objects.create_user(f"person {number}")
    permit(holder=person, permission="view", obj=order)
    return [lambda root=root: withdraw(holder=person, permission="view", obj=order, actor=root) for root in roots]  # type: ignore[misc]  # as above


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("race", [give_at_once, take_at_once])
@pytest.mark.parametrize("rounds", [4, pytest.param(ROUNDS, marks=pytest.mark.races)])
def test_of_four_concurrent_changes_one_succeeds(race: Any, rounds: int) -> None:
    one_winner(race, refusal={"False"}, rounds=rounds)


def ask_first(number: int) -> list[Any]:
    """Return four concurrent acts that check for a permission and then grant it."""
    order, person = Order.objects.create(), User.objects.create_user(f"person {number}")
    view = permission("shop.view_order")

    def give() -> bool:
        return not grants.grant_rows(person, view, order).exists() and assign_perm(view, person, order) is not None

    return [give] * 4


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_check_then_grant_is_a_race_and_the_test_detects_it() -> None:
    with pytest.raises(AssertionError, match=r"\d won"):
        one_winner(ask_first, refusal={"False"}, rounds=60)
