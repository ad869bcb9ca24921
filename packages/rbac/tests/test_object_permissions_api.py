"""The API for object permissions: grant, list and withdraw."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType

from auth_core.people.lookup import identity_of
from auth_core.testing.browsers import post
from auth_core.testing.counts import counted
from auth_core.testing.plans import unindexed
from auth_rbac.decisions.decisions import check
from auth_rbac.events import RbacEvent
from auth_rbac.objects.grants import permit
from auth_rbac.objects.object_ids import pack
from auth_rbac.objects.object_list import object_rows
from conftest import again, browser_of, held_by, named, public
from object_permission_lists import EVERY, LIST, listed, rows
from shop.models import Branch, Company, Order, Paper, Plan

pytestmark = pytest.mark.django_db

Manager = Callable[..., User]


@pytest.mark.asvs("8.3.1")
@pytest.mark.parametrize("model", [Order, Paper, Plan])
@pytest.mark.parametrize("by_group", [False, True])
def test_an_object_permission_is_given_listed_and_taken_away(
    model: Any, by_group: bool, manager_of: Manager, alice: User, recorded_events: list[Any]
) -> None:
    carol, obj = manager_of("carol", *EVERY), model.objects.create()
    readers = Group.objects.create(name="readers / ünïcode")
    alice.groups.add(readers)
    holder = held_by(readers if by_group else alice)
    name = f"shop.view_{model._meta.model_name}"

    made = post(browser_of(carol), "object-permissions", permission=name, object=named(obj), holder=holder)

    assert made.status_code == 201
    assert made.json() == {"id": made.json()["id"], "holder": holder, "permission": name, "object": named(obj)}  # fmt: skip
    assert listed(carol) == [made.json()]
    assert browser_of(carol).get(made.headers["Location"]).json() == made.json()
    assert check(again(alice), name, obj)
    assert (
        post(browser_of(carol), "object-permissions", permission=name, object=named(obj), holder=holder).status_code
        == 409
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
        called = {held_by(one)["id"]: name for one, name in ((alice, "alice"), (bob, "bob"), (readers, "readers"))}
        return {(called[one["holder"]["id"]], one["permission"], one["object"]["id"]) for one in listed(carol, query)}

    a, b, p = str(first.pk), str(second.pk), str(plan.pk)
    assert len(holders_of("")) == 7
    assert holders_of(f"?holder_kind=person&holder={public(alice)}&permission=shop.view_order") == {
        ("alice", "shop.view_order", a), ("alice", "shop.view_order", b),
    }  # fmt: skip
    assert holders_of(f"?holder_kind=group&holder={held_by(readers)['id']}") == {
        ("readers", "shop.view_order", a),
        ("readers", "shop.view_plan", p),
    }
    assert holders_of(f"?type=shop.order&id={a}&permission=shop.view_order") == {
        ("alice", "shop.view_order", a), ("readers", "shop.view_order", a),
    }  # fmt: skip
    assert holders_of("?type=shop.plan") == {("bob", "shop.view_plan", p), ("readers", "shop.view_plan", p)}
    assert holders_of(f"?type=shop.plan&id={p}&holder_kind=person&holder={public(bob)}") == {
        ("bob", "shop.view_plan", p)
    }
    assert {name for name, _permission, _key in holders_of("?holder_kind=group")} == {"readers"}
    assert {name for name, _permission, _key in holders_of("?holder_kind=person")} == {"alice", "bob"}
    assert holders_of(f"?holder_kind=group&holder={uuid4()}") == set()
    assert holders_of(f"?holder_kind=person&holder={uuid4()}") == set()


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
        ("?holder_kind=person&holder=1", 400),
        (f"?holder={uuid4()}", 400),
        (f"?holder_kind=service&holder={uuid4()}", 400),
        ("?permission=shop.nothing", 400),
        ("?permission=view", 400),
        ("?type=shop.nothing", 400),
        ("?id=1", 400),
        ("?type=shop.order&id=999999", 404),
        ("?type=shop.order&id=x", 404),
        ("?cursor=x", 400),
        ("?cursor=cD1ndWFyZGlhbl91c2Vyb2JqZWN0cGVybWlzc2lvbjp4", 400),  # p=guardian_userobjectpermission:x
        ("?page_size=0", 400),
        ("?holder_kind=group&holder_kind=person", 400),
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
        ({"holder": {"kind": "person", "id": str(uuid4())}}, 400),
        ({"holder": {"kind": "group", "id": str(uuid4())}}, 400),
        ({"holder": {"kind": "service", "id": str(uuid4())}}, 400),
        ({"holder": {"kind": "person", "id": "1"}}, 400),
        ({"holder": {"kind": "person"}}, 400),
        ({"holder": None}, 400),
        ({"group": "readers"}, 400),
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

    body = {"holder": held_by(alice), "permission": "shop.view_order", "object": named(order), **change}
    refused = post(browser_of(carol), "object-permissions", **body)

    assert refused.status_code == status
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert rows() == 0


def test_a_grant_needs_exactly_one_holder(manager_of: Manager) -> None:
    body = {"permission": "shop.view_order", "object": named(Order.objects.create())}

    refused = post(browser_of(manager_of("carol", *EVERY)), "object-permissions", **body)

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "required")
    unknown = {"kind": "group", "id": str(uuid4())}
    refused = post(browser_of(manager_of("dave", *EVERY)), "object-permissions", holder=unknown, **body)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "unknown_holder")


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
        "of a person": lambda browser: browser.get(f"{LIST}?holder_kind=person&holder={public(alice)}&page_size=50"),
        "of an object": lambda browser: browser.get(f"{LIST}?type=shop.order&id={orders[0].pk}"),
        "granted": lambda browser: browser.post(
            LIST,
            {"holder": held_by(carol), "permission": "shop.view_order", "object": named(orders[0])},
            content_type="application/json",
        ),
        "withdrawn": lambda browser: browser.delete(
            f"{LIST}{pack('person', public(carol), 'shop.view_order', 'shop.order', str(orders[0].pk))}/"
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
