"""Services as holders in the API, in the admin, in events, in the report and in the orphan command."""

import io
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import transaction
from django.test import Client as Browser

from auth_core.registries import holder_kinds
from auth_core.testing.browsers import post
from auth_core.testing.counts import counted
from auth_rbac.errors import LastAdministrator
from auth_rbac.events import RbacEvent
from auth_rbac.explanations import report
from auth_rbac.holders.descriptions import load_services
from auth_rbac.models import Assignment, HolderKind
from auth_rbac.roles.assignments import assign_role, revoke_role
from conftest import browser_of, held_by, make_role, named
from robots.models import Robot
from shop.models import Company, Order

pytestmark = pytest.mark.django_db

Manager = Callable[..., User]

LIST = "/api/v1/assignments/"
ADMIN = "/admin/auth_rbac/assignment/"
MOMENTS = {"valid_from_0": "2026-01-01", "valid_from_1": "00:00:00", "valid_until_0": "", "valid_until_1": ""}


@pytest.fixture
def robot(db: None) -> Robot:
    """A service."""
    return Robot.objects.create(name="crawler")


@pytest.fixture
def root(db: None) -> Browser:
    """The browser of a superuser."""
    return browser_of(User.objects.create_superuser("root"))


@pytest.mark.asvs("8.3.1")
@pytest.mark.parametrize("kind", HolderKind)
def test_every_kind_of_holder_is_granted_listed_and_revoked_in_one_shape(
    kind: HolderKind, manager_of: Manager, alice: User, robot: Robot, recorded_events: list[Any]
) -> None:
    holders = {"person": alice, "group": Group.objects.create(name="readers"), "service": robot.pk}
    holder, carol, role = held_by(holders[kind]), manager_of("carol", "shop.view_order"), make_role("r", "shop.view_order")  # fmt: skip
    browser = browser_of(carol)
    del recorded_events[:]

    granted = post(browser, "assignments", holder=holder, role=str(role.pk))

    assert (granted.status_code, granted.json()["holder"]) == (201, holder)
    assert post(browser, "assignments", holder=holder, role=str(role.pk)).status_code == 409
    assert browser.get(granted.headers["Location"]).json() == granted.json()
    for query in (f"?holder_kind={kind}&holder={holder['id']}", f"?holder_kind={kind}&role={role.pk}"):
        assert browser.get(f"{LIST}{query}").json()["results"] == [granted.json()]
    others = [one for one in HolderKind if one is not kind]
    for query in (f"?holder_kind={kind}&holder={uuid4()}", *(f"?holder_kind={other}&holder={holder['id']}" for other in others)):  # fmt: skip
        assert browser.get(f"{LIST}{query}").json()["results"] == []
    assert browser.delete(granted.headers["Location"]).status_code == 204
    assert browser.delete(granted.headers["Location"]).status_code == 404
    names = [event.name for event in recorded_events]
    assert names == [RbacEvent.ASSIGNMENT_GRANTED, RbacEvent.ASSIGNMENT_REVOKED]
    for event in recorded_events:
        assert (event.data["holder_kind"], event.data["holder"]) == (kind, holder["id"])
        assert event.subject == (alice if kind is HolderKind.PERSON else None)
        assert event.actor.pk == carol.pk


@pytest.mark.parametrize("query", [f"?holder={uuid4()}", "?holder_kind=robot", "?holder_kind=person&holder=1"])
def test_invalid_filters_are_refused(query: str, manager_of: Manager) -> None:
    answer = browser_of(manager_of("carol")).get(f"{LIST}{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("kind", HolderKind)
def test_an_unknown_holder_is_refused_with_its_code(kind: HolderKind, manager_of: Manager) -> None:
    carol, role = manager_of("carol", "shop.view_order"), make_role("reader", "shop.view_order")
    holder = {"kind": kind.value, "id": str(uuid4())}

    refused = post(browser_of(carol), "assignments", holder=holder, role=str(role.pk))

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    (error,) = refused.json()["errors"]
    assert (error["field"], error["code"]) == ("holder", "unknown_holder")
    assert Assignment.objects.count() == 1


def test_without_an_app_that_registers_services_a_service_is_unknown(
    manager_of: Manager, robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol, role = manager_of("carol", "shop.view_order"), make_role("reader", "shop.view_order")
    monkeypatch.delitem(holder_kinds._entries, HolderKind.SERVICE)

    refused = post(browser_of(carol), "assignments", holder=held_by(robot.pk), role=str(role.pk))

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "unknown_holder")


def test_an_actor_without_authority_learns_nothing_of_services(manager_of: Manager, robot: Robot) -> None:
    carol, above = manager_of("carol"), make_role("above", "shop.view_order")

    answers = [
        post(browser_of(carol), "assignments", holder=held_by(one), role=str(above.pk)) for one in (robot.pk, uuid4())
    ]

    assert [answer.status_code for answer in answers] == [403, 403]


def test_a_manager_of_one_company_sees_services_of_that_company_only(manager_of: Manager, robot: Robot) -> None:
    here, there = Company.objects.create(name="here"), Company.objects.create(name="there")
    carol, role = manager_of("carol", "shop.view_order", scope=here), make_role("reader", "shop.view_order")
    mine, theirs = (assign_role(service_id=robot.pk, role=role, scope=scope) for scope in (here, there))
    browser = browser_of(carol)

    assert [one["id"] for one in browser.get(f"{LIST}?holder_kind=service").json()["results"]] == [str(mine.pk)]
    assert browser.delete(f"{LIST}{theirs.pk}/").status_code == 404
    assert browser.delete(f"{LIST}{mine.pk}/").status_code == 204


def test_a_service_never_counts_as_the_last_administrator(manager_of: Manager, robot: Robot) -> None:
    carol = manager_of("carol")
    mine = Assignment.objects.get(user=carol)
    theirs = assign_role(service_id=robot.pk, role=mine.role)

    with pytest.raises(LastAdministrator), transaction.atomic():
        revoke_role(assignment=mine)
    assert browser_of(carol).delete(f"{LIST}{mine.pk}/").json()["code"] == "last_administrator"

    assert revoke_role(assignment=theirs)


def test_people_with_the_permission_may_ask_about_services(manager_of: Manager, alice: User, robot: Robot) -> None:
    order, hidden = Order.objects.create(), Order.objects.create()
    carol = manager_of("carol", "shop.view_order")
    assign_role(service_id=robot.pk, role=make_role("reader", "shop.view_order"), scope=order, reason="nightly")
    subject, browser = held_by(robot.pk), browser_of(carol)

    def ask(caller: User, address: str, **body: Any) -> Any:
        return post(browser_of(caller), f"access/{address}", permission="shop.view_order", subject=subject, **body)

    assert ask(carol, "check", object=named(order)).json()["reason"] == "role"
    assert ask(carol, "check", object=named(hidden)).json()["reason"] == "nothing"
    many = ask(carol, "check-many", type="shop.order", ids=[str(order.pk), str(hidden.pk)]).json()["decisions"]
    assert [one["allowed"] for one in many] == [True, False]
    (path,) = ask(carol, "explain", object=named(order)).json()["paths"]
    assert (path["holder"], path["group"], path["reason"]) == (subject, "", "nightly")
    listed = browser.get(
        f"/api/v1/access/objects/?permission=shop.view_order&type=shop.order&subject_kind=service&subject={robot.pk}"
    )
    assert listed.json()["results"] == [{"id": str(order.pk)}]
    assert (
        browser.get("/api/v1/access/objects/?permission=shop.view_order&type=shop.order&subject_kind=service").json()[
            "errors"
        ][0]["code"]
        == "required"
    )
    assert ask(alice, "check", object=named(order)).status_code == 404
    robot.delete()
    assert ask(carol, "check", object=named(order)).status_code == 404


def test_the_services_with_a_permission_are_listed_page_by_page(manager_of: Manager) -> None:
    browser, role = browser_of(manager_of("carol", "shop.view_order")), make_role("reader", "shop.view_order")
    robots = [Robot.objects.create(name=str(number)) for number in range(5)]
    for robot in robots:
        assign_role(service_id=robot.pk, role=role)
    gone, disabled = robots[:2]
    gone.delete()
    Robot.objects.filter(pk=disabled.pk).update(is_active=False)

    first = browser.get("/api/v1/access/subjects/?permission=shop.view_order&subject_kind=service&page_size=2").json()
    second = browser.get(first["next"]).json()

    found = [*first["results"], *second["results"]]
    assert (len(first["results"]), len(second["results"]), second["next"]) == (2, 1, None)
    expected = sorted((held_by(robot.pk) for robot in robots[2:]), key=lambda one: one["id"], reverse=True)
    assert found == expected
    assert browser.get(second["previous"]).json()["results"] == first["results"]
    people = browser.get("/api/v1/access/subjects/?permission=shop.view_order").json()["results"]
    assert {one["kind"] for one in people} == {"person"}


def test_groups_are_listed_with_their_public_ids(manager_of: Manager, alice: User) -> None:
    readers, writers = (Group.objects.create(name=name) for name in ("readers", "writers"))
    browser = browser_of(manager_of("carol"))

    every = browser.get("/api/v1/groups/").json()["results"]
    named_readers = browser.get("/api/v1/groups/?name=readers").json()["results"]

    assert every == [{"id": held_by(one)["id"], "name": one.name} for one in (writers, readers)]
    assert named_readers == [{"id": held_by(readers)["id"], "name": "readers"}]
    assert browser.get("/api/v1/groups/?surprise=1").status_code == 400
    assert browser_of(alice).get("/api/v1/groups/").status_code == 403


def test_the_public_id_of_a_group_survives_a_new_name() -> None:
    readers = Group.objects.create(name="readers")
    before = held_by(readers)

    Group.objects.filter(pk=readers.pk).update(name="others")

    assert held_by(Group.objects.get()) == before


def test_the_number_of_queries_does_not_depend_on_the_holders(manager_of: Manager, alice: User) -> None:
    browser, queries = browser_of(manager_of("carol", "shop.view_order")), []
    for batch in range(2):
        for number in range(5):
            role = make_role(f"role {batch} {number}", "shop.view_order")
            assign_role(user=alice, role=role)
            group = Group.objects.create(name=f"group {batch} {number}")
            assign_role(group=group, role=role)
            assign_role(service_id=Robot.objects.create(name="r").pk, role=role)
        browser.get(LIST)  # the decisions about the caller are cached then
        with counted() as counts:
            assert len(browser.get(f"{LIST}?page_size=200").json()["results"]) == 15 * (batch + 1) + 1
        queries.append(counts.queries)

    assert queries[0] == queries[1]


def test_the_admin_assigns_to_a_service_and_shows_its_name(root: Browser, robot: Robot, alice: User) -> None:
    role = make_role("reader", "shop.view_order")
    form = {"role": str(role.pk), "reason": "", **MOMENTS}

    unknown = root.post(f"{ADMIN}add/", {**form, "service_id": str(uuid4())}).content.decode()
    both = root.post(f"{ADMIN}add/", {**form, "service_id": str(robot.pk), "user": alice.pk}).content.decode()
    none = root.post(f"{ADMIN}add/", form).content.decode()
    assert not Assignment.objects.exists()
    added = root.post(f"{ADMIN}add/", {**form, "service_id": str(robot.pk)})

    assert "Service not found." in unknown
    assert all("Choose one person, one group or one service." in page for page in (both, none))
    assert added.status_code == 302
    page = root.get(f"{ADMIN}?kind=service").content.decode()
    assert "crawler" in page
    assert f"{ADMIN}explain/service/{robot.pk}/" in page
    assert "crawler" in root.get(ADMIN, {"q": str(robot.pk)}).content.decode()
    assert "crawler" not in root.get(ADMIN, {"q": str(uuid4())}).content.decode()
    assert "crawler" not in root.get(f"{ADMIN}?kind=person").content.decode()
    explained = root.get(f"{ADMIN}explain/service/{robot.pk}/?permission=shop.view_order").content.decode()
    assert "shop.view_order: allowed" in explained
    assert "Permissions of crawler" in explained
    assert "The service has the role reader." in explained
    assert "allowed" in root.get(f"{ADMIN}explain/", {"subject": str(robot.pk), "permission": "shop.view_order"}).content.decode()  # fmt: skip
    Robot.objects.update(is_active=False)
    assert "crawler (disabled)" in root.get(ADMIN).content.decode()
    robot.delete()
    assert f"Deleted service {Assignment.objects.get().service_id}" in root.get(ADMIN).content.decode()
    assert root.post(f"{ADMIN}{Assignment.objects.get().pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Assignment.objects.exists()


@pytest.mark.parametrize("kind", HolderKind)
def test_the_admin_finds_the_assignments_of_any_holder_by_public_id(
    kind: HolderKind, root: Browser, robot: Robot, alice: User
) -> None:
    readers, role = Group.objects.create(name="readers"), make_role("reader", "shop.view_order")
    rows = {
        HolderKind.PERSON: assign_role(user=alice, role=role),
        HolderKind.GROUP: assign_role(group=readers, role=role),
        HolderKind.SERVICE: assign_role(service_id=robot.pk, role=role),
    }

    page = root.get(ADMIN, {"q": str(rows[kind].holder.id)}).content.decode()

    assert {one for one, row in rows.items() if f"{ADMIN}{row.pk}/change/" in page} == {kind}


def test_the_admin_list_loads_all_services_at_once(root: Browser) -> None:
    role, queries = make_role("reader", "shop.view_order"), []
    for _batch in range(2):
        for _number in range(5):
            assign_role(service_id=Robot.objects.create(name="r").pk, role=role)
        with counted() as counts:
            root.get(ADMIN)
        queries.append(counts.queries)

    assert queries[0] == queries[1]


def test_the_report_names_services_and_deleted_services(robot: Robot) -> None:
    gone = Robot.objects.create(name="gone")
    role = make_role("reader", "shop.view_order")
    for one in (robot, gone):
        assign_role(service_id=one.pk, role=role)
    public_id = gone.pk
    gone.delete()

    rows = {(row["holder_kind"], row["holder"], row["name"], row["permission"]) for row in report.rows()}

    assert rows == {
        ("service", str(robot.pk), "crawler", "shop.view_order"),
        ("service", str(public_id), f"Deleted service {public_id}", "shop.view_order"),
    }
    out = io.StringIO()
    call_command("access_report", "--holder", str(robot.pk), stdout=out)
    assert len(out.getvalue().splitlines()) == 2


def orphans(*options: str) -> str:
    out = io.StringIO()
    call_command("access_orphans", *options, stdout=out)
    return out.getvalue()


def test_the_orphan_command_revokes_the_roles_of_deleted_services(robot: Robot, recorded_events: list[Any]) -> None:
    gone, role = Robot.objects.create(name="gone"), make_role("reader", "shop.view_order")
    kept, lost = (assign_role(service_id=one.pk, role=role) for one in (robot, gone))
    gone.delete()

    assert orphans() == "Deleted services: 1\n1 found.\n"
    assert Assignment.objects.count() == 2
    assert orphans("--remove") == "Deleted services: 1\n1 removed.\n"

    assert list(Assignment.objects.all()) == [kept]
    revoked = recorded_events[-1]
    assert (revoked.name, revoked.target) == (RbacEvent.ASSIGNMENT_REVOKED, ("assignment", str(lost.pk)))
    assert orphans() == "0 found.\n"


def test_the_roles_of_services_outlive_an_app_that_is_not_installed_now(
    robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    assign_role(service_id=robot.pk, role=make_role("reader", "shop.view_order"))
    monkeypatch.delitem(holder_kinds._entries, HolderKind.SERVICE)

    assert orphans("--remove") == "Kept, because no app registers services: 1\n0 removed.\n"

    assert Assignment.objects.count() == 1


def test_the_registry_describes_people_and_groups(alice: User) -> None:
    readers = Group.objects.create(name="readers")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    person, group = held_by(alice)["id"], held_by(readers)["id"]

    for kind, public_id, label, is_active in (("person", person, "alice", False), ("group", group, "readers", True)):
        describe: Any = holder_kinds.get(kind)
        with counted() as counts:
            ((found, description),) = describe({public_id, str(uuid4())}).items()
        assert (str(found), description.label, description.is_active) == (public_id, label, is_active)
        assert counts.queries == 1


def test_services_are_loaded_with_one_query(robot: Robot) -> None:
    role = make_role("reader", "shop.view_order")
    rows = [assign_role(service_id=Robot.objects.create(name="r").pk, role=role) for _n in range(3)]

    with counted() as counts:
        load_services([*rows, Assignment(user=User(username="x"), role=role)])

    assert counts.queries == 1
