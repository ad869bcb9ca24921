"""Decisions over HTTP equal those in Python, and reveal nothing about hidden people and objects."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from guardian.shortcuts import assign_perm, get_objects_for_user
from rest_framework.permissions import DjangoObjectPermissions

from auth_core.testing.browsers import post
from auth_rbac.api.permissions import Permitted
from auth_rbac.decisions.decisions import check
from auth_rbac.decorators import require_permission
from auth_rbac.explanations.explanations import explain
from auth_rbac.models import Assignment, Role
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role
from conftest import again, browser_of, held_by, make_role, named, permission, public
from shop.models import Branch, Company, Notice, Order, Paper

pytestmark = pytest.mark.django_db

Manager = Callable[..., User]


def test_python_and_http_make_the_same_decision(alice: User) -> None:
    visible, hidden = Order.objects.create(), Order.objects.create()
    assign_role(user=alice, role=make_role("reader", "shop.view_order"), scope=visible)

    for name in ("shop.view_order", "shop.change_order"):
        for obj in (None, visible):
            body = {} if obj is None else {"object": named(obj)}
            assert (
                post(browser_of(alice), "access/check", permission=name, **body).json()
                == check(again(alice), name, obj).to_json()
            )
    many = post(
        browser_of(alice), "access/check-many", permission="shop.view_order", type="shop.order", ids=[str(visible.pk)]
    )
    assert many.json() == {"decisions": [{"id": str(visible.pk), **check(again(alice), "view", visible).to_json()}]}
    assert (
        post(browser_of(alice), "access/check", permission="shop.view_order", object=named(hidden)).status_code == 404
    )


def statements_of(ask: Callable[[], Any]) -> list[str]:
    """Return the statements about roles and objects."""
    with CaptureQueriesContext(connection) as queries:
        ask()
    return [query["sql"] for query in queries if "auth_rbac_" in query["sql"] or '"shop_' in query["sql"]]


def ask_about(browser: Any, objects: list[Any], verb: str = "view") -> Any:
    label, ids = objects[0]._meta.label_lower, [str(obj.pk) for obj in objects]
    name = f"shop.{verb}_{label.partition('.')[2]}"
    if len(objects) == 1:
        return post(browser, "access/check", permission=name, object={"type": label, "id": ids[0]})
    return post(browser, "access/check-many", permission=name, type=label, ids=ids)


@pytest.mark.parametrize("number", [1, 50])
@pytest.mark.parametrize("way", ["everywhere", "objects", "superuser"])
def test_a_decision_finds_its_objects_in_the_same_statement(number: int, way: str, alice: User) -> None:
    papers = [Paper.objects.create() for _n in range(number)]
    if way == "everywhere":
        assign_role(user=alice, role=make_role("reader", "shop.view_paper"))
    elif way == "objects":
        for paper in papers:
            assign_perm("shop.view_paper", alice, paper)
    else:
        User.objects.filter(pk=alice.pk).update(is_superuser=True)
    browser = browser_of(again(alice))
    assert ask_about(browser, papers).status_code == 200  # It fills the caches of content types and names.

    statements = statements_of(lambda: ask_about(browser, papers))

    assert len(statements) == 1, statements
    assert '"shop_paper"' in statements[0]
    answer = ask_about(browser, papers).json()
    assert all(decision["allowed"] for decision in answer.get("decisions", [answer]))


@pytest.mark.parametrize("number", [1, 50])
def test_a_denied_decision_takes_one_more_statement_to_know_whether_to_hide(number: int, alice: User) -> None:
    papers = [Paper.objects.create() for _n in range(number)]
    assign_role(user=alice, role=make_role("reader", "shop.view_paper"))
    browser = browser_of(alice)

    first, again_asked = (statements_of(lambda: ask_about(browser, papers, "change")) for _time in range(2))

    assert len([each for each in first if "auth_rbac_assignment" in each]) == 2, first
    assert len(again_asked) == 1, again_asked
    assert ask_about(browser, papers, "change").status_code == 200


def test_objects_in_others_are_read_by_their_keys_only(alice: User) -> None:
    company = Company.objects.create(name="here")
    orders = [Order.objects.create(branch=Branch.objects.create(company=company)) for _n in range(50)]
    assign_role(user=alice, role=make_role("reader", "shop.view_order"), scope=company)
    browser = browser_of(alice)
    assert ask_about(browser, orders).status_code == 200

    statements = statements_of(lambda: ask_about(browser, orders))

    assert len(statements) == 2, statements
    assert '"name"' not in statements[0]


@pytest.mark.asvs("8.2.2")
@pytest.mark.parametrize("model", [Paper, Company, Notice])
def test_missing_and_hidden_objects_look_the_same(model: Any, alice: User) -> None:
    hidden = Notice.objects.create() if model is Notice else model.objects.create()
    kind = model._meta.label_lower
    ids = [str(hidden.pk), str(uuid4()), "9" * 40, f"-{'9' * 40}", "0", "01", "x", "9223372036854775808"]

    answers = [
        post(browser_of(alice), "access/check", permission=f"shop.view_{kind[5:]}", object={"type": kind, "id": each})
        for each in ids
    ] + [
        post(browser_of(alice), "access/check-many", permission=f"shop.view_{kind[5:]}", type=kind, ids=[each, each])
        for each in ids
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.json()["detail"] for answer in answers}) == 1


def test_the_filter_of_a_default_manager_counts(alice: User) -> None:
    shown, withdrawn = Notice.objects.create(), Notice.objects.create(is_withdrawn=True)
    assign_role(user=alice, role=make_role("reader", "shop.view_notice"))

    assert ask_about(browser_of(alice), [shown]).status_code == 200
    assert ask_about(browser_of(alice), [withdrawn]).status_code == 404


def test_some_missing_objects_hide_the_page(alice: User) -> None:
    papers = [Paper.objects.create(), Paper.objects.create()]
    assign_role(user=alice, role=make_role("reader", "shop.view_paper"))
    browser = browser_of(alice)
    assert ask_about(browser, papers).status_code == 200
    Paper.objects.filter(pk=papers[1].pk).delete()

    assert ask_about(browser, papers).status_code == 404


def test_objects_and_subjects_are_listed(manager_of: Manager, alice: User) -> None:
    orders = [Order.objects.create() for _n in range(3)]
    carol = manager_of("carol", "shop.view_order")
    assign_role(user=alice, role=make_role("reader", "shop.view_order"), scope=orders[1])

    mine = browser_of(alice).get("/api/v1/access/objects/?permission=shop.view_order&type=shop.order")
    who = browser_of(carol).get(
        f"/api/v1/access/subjects/?permission=shop.view_order&type=shop.order&id={orders[1].pk}"
    )

    assert mine.json()["results"] == [{"id": str(orders[1].pk)}]
    assert {(one["kind"], one["id"]) for one in who.json()["results"]} == {
        ("person", public(alice)), ("person", public(carol)),
    }  # fmt: skip
    assert browser_of(alice).get("/api/v1/access/subjects/?permission=shop.view_order").status_code == 403


def test_an_explanation_contains_every_path(manager_of: Manager, alice: User) -> None:
    carol = manager_of("carol", "shop.view_order", "shop.change_order")
    branch = Branch.objects.create(company=Company.objects.create(name="a"))
    order = Order.objects.create(branch=branch)
    boss = create_role(name="boss", parents=[make_role("reader", "shop.view_order")])
    readers = Group.objects.create(name="readers")
    alice.groups.add(readers)
    assign_role(group=readers, role=boss, scope=branch.company, granted_by=None, reason="hired")
    assign_role(user=alice, role=make_role("elsewhere", "shop.view_order"), scope=Order.objects.create())

    body = post(
        browser_of(carol), "access/explain", subject=held_by(alice), permission="shop.view_order", object=named(order)
    ).json()
    lacking = post(browser_of(carol), "access/explain", subject=held_by(alice), permission="shop.change_order").json()

    assert body["decision"]["allowed"]
    paths = {tuple(path["roles"]): path for path in body["paths"]}
    whole = paths["boss", "reader"]
    assert (whole["group"], whole["reason"], whole["scope"], whole["counts"]) == (
        "readers", "hired", f"shop.company:{branch.company.pk}", True,
    )  # fmt: skip
    assert paths[("elsewhere",)]["lacks"] == "elsewhere"
    assert (lacking["decision"]["reason"], lacking["granting_roles"]) == ("nothing", ["manager carol"])


@pytest.mark.asvs("8.2.2")
def test_people_and_objects_that_a_caller_may_not_see_are_hidden(manager_of: Manager, alice: User, bob: User) -> None:
    here, there = Company.objects.create(name="here"), Company.objects.create(name="there")
    order = Order.objects.create()
    carol = manager_of("carol", "shop.view_company", scope=here)
    theirs = assign_role(user=bob, role=make_role("reader", "shop.view_order"), scope=there)
    unknown = uuid4()

    same = [
        [
            post(browser_of(alice), "access/check", permission="shop.view_order", subject=one)
            for one in (held_by(bob), {"kind": "person", "id": str(unknown)}, held_by(unknown))
        ],
        [
            post(
                browser_of(alice),
                "access/check",
                permission="shop.view_order",
                object={"type": "shop.order", "id": one},
            )
            for one in (str(order.pk), "999999", "x")
        ],
        [
            post(browser_of(alice), "access/check-many", permission="shop.view_order", type="shop.order", ids=[one])
            for one in (str(order.pk), "999999")
        ],
        [browser_of(carol).delete(f"/api/v1/assignments/{one}/") for one in (theirs.pk, unknown)],
        [browser_of(carol).get(f"/api/v1/assignments/{one}/") for one in (theirs.pk, unknown)],
        [
            post(
                browser_of(carol),
                "assignments",
                holder=held_by(alice),
                role=str(theirs.role_id),
                scope={"type": "shop.company", "id": one},
            )
            for one in (str(there.pk), "999999")
        ],
        [
            browser_of(carol).get(
                f"/api/v1/access/objects/?permission=shop.view_order&type=shop.order&subject_kind=person&subject={public(bob)}"
            )
        ],
    ]

    for answers in same:
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.json()["detail"] for answer in answers}) == 1
    assert Assignment.objects.filter(pk=theirs.pk).exists()


def test_a_manager_of_a_company_revokes_roles_inside_it(manager_of: Manager, bob: User) -> None:
    company = Company.objects.create(name="here")
    order = Order.objects.create(branch=Branch.objects.create(company=company))
    carol = manager_of("carol", "shop.view_order", scope=company)
    inside = assign_role(user=bob, role=make_role("reader", "shop.view_order"), scope=order)

    assert browser_of(carol).get(f"/api/v1/assignments/{inside.pk}/").status_code == 200
    assert browser_of(carol).delete(f"/api/v1/assignments/{inside.pk}/").status_code == 204


@pytest.mark.asvs("8.4.1")
def test_a_manager_of_one_company_sees_nothing_of_another(manager_of: Manager, bob: User) -> None:
    here, there = Company.objects.create(name="here"), Company.objects.create(name="there")
    carol, role = manager_of("carol", "shop.view_order", scope=here), make_role("reader", "shop.view_order")
    mine = assign_role(user=bob, role=role, scope=here)
    assign_role(user=bob, role=role, scope=there)
    assign_role(user=bob, role=role)

    listed = browser_of(carol).get(f"/api/v1/assignments/?holder_kind=person&holder={public(bob)}").json()["results"]

    assert [one["id"] for one in listed] == [str(mine.pk)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"permission": "shop.nothing"}, 400),
        ({"permission": "nothing"}, 400),
        ({"permission": ""}, 400),
        ({}, 400),
        ({"permission": "shop.view_order", "surprise": 1}, 400),
        ({"permission": "shop.view_order", "subject": "1"}, 400),
        ({"permission": "shop.view_order", "subject": {"kind": "person", "id": "1"}}, 400),
        ({"permission": "shop.view_order", "subject": {"kind": "group", "id": str(uuid4())}}, 400),
        ({"permission": "shop.view_order", "subject": {"kind": "person"}}, 400),
        ({"permission": "shop.view_order", "subject": {"kind": "person", "id": str(uuid4()), "as": "root"}}, 400),
        ({"permission": "shop.view_order", "object": {"type": "shop.nothing", "id": "1"}}, 400),
        ({"permission": "shop.view_order", "object": {"type": "shop", "id": "1"}}, 400),
        ({"permission": "shop.view_order", "object": {"type": "shop.order"}}, 400),
        ({"permission": "shop.view_order", "object": {"type": "shop.order", "id": "1", "as": "root"}}, 400),
        ({"permission": "shop.view_order", "object": {"type": "shop.order", "id": "9" * 40}}, 404),
        ({"permission": "shop.view_order", "object": {"type": "shop.paper", "id": "no uuid"}}, 404),
    ],
)
@pytest.mark.parametrize("address", ["access/check", "access/explain"])
def test_invalid_requests_are_refused(address: str, body: dict[str, Any], status: int, alice: User) -> None:
    answer = post(browser_of(alice), address, **body)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("ids", [[], ["1"] * 201, "1", [1], [None]])
def test_the_number_of_ids_is_limited(ids: Any, alice: User) -> None:
    assert (
        post(
            browser_of(alice), "access/check-many", permission="shop.view_order", type="shop.order", ids=ids
        ).status_code
        == 400
    )


def test_a_uuid_is_matched_in_its_canonical_spelling_only(alice: User) -> None:
    paper = Paper.objects.create()
    assign_role(user=alice, role=make_role("reader", "shop.view_paper"), scope=paper)

    statuses = [
        post(
            browser_of(alice), "access/check", permission="shop.view_paper", object={"type": "shop.paper", "id": one}
        ).status_code
        for one in (str(paper.pk), paper.pk.hex)
    ]

    assert statuses == [200, 404]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"permissions": ["shop.nothing"]}, 400),
        ({"wildcards": ["*"]}, 400),
        ({"parents": [str(uuid4())]}, 404),
        ({"parents": ["x"]}, 400),
        ({"name": "adm\u0456n"}, 400),
        ({"name": "MANAGER carol"}, 409),
        ({"permissions": ["shop.change_order"]}, 403),
        ({"is_superuser": True}, 400),
    ],
)
def test_invalid_roles_are_refused(change: dict[str, Any], status: int, manager_of: Manager) -> None:
    carol = manager_of("carol", "shop.view_order")

    assert post(browser_of(carol), "roles", **{"name": "new", **change}).status_code == status
    assert Role.objects.count() == 1


@pytest.mark.asvs("8.3.1")
def test_roles_are_created_changed_and_deleted_over_the_api(manager_of: Manager) -> None:
    carol = manager_of("carol", "shop.view_order", "shop.add_order")
    browser = browser_of(carol)

    made = post(browser_of(carol), "roles", name="reader", permissions=["shop.view_order"])
    other = post(browser_of(carol), "roles", name="other", parents=[made.json()["id"]])
    cycle = browser.patch(made.headers["Location"], {"parents": [other.json()["id"]]}, content_type="application/json")
    changed = browser.patch(made.headers["Location"], {"denials": ["shop.add_order"]}, content_type="application/json")

    assert (made.status_code, other.status_code, cycle.status_code) == (201, 201, 400)
    assert cycle.json()["errors"][0]["code"] == "cycle"
    assert (changed.json()["permissions"], changed.json()["denials"]) == (["shop.view_order"], ["shop.add_order"])
    assert browser.delete(made.headers["Location"]).status_code == 204
    assert browser.get(made.headers["Location"]).status_code == 404


def test_the_decorator_the_tag_and_the_drf_permission_decide_alike(alice: User) -> None:
    visible, hidden = Order.objects.create(), Order.objects.create()
    assign_role(user=alice, role=make_role("reader", "shop.view_order"), scope=visible)
    request = RequestFactory().get("/")
    request.user = again(alice)

    @require_permission("view", of=Order, by="order_id")
    def show(request: HttpRequest, order_id: int) -> HttpResponse:
        return HttpResponse("shown")

    @require_permission("change", of=Order, by="order_id")
    def change(request: HttpRequest, order_id: int) -> HttpResponse:
        return HttpResponse("changed")

    page = Template('{% load auth_rbac %}{% may user "view" order as yes %}{{ yes }}')

    assert show(request, order_id=visible.pk).status_code == 200
    with pytest.raises(Http404):
        show(request, order_id=hidden.pk)
    with pytest.raises(PermissionDenied):
        change(request, order_id=visible.pk)
    assert [page.render(Context({"user": again(alice), "order": one})) for one in (visible, hidden)] == [
        "True",
        "False",
    ]
    assert Permitted().has_object_permission(request, None, visible)  # type: ignore[arg-type]  # a request of Django's will do
    with pytest.raises(Http404):
        Permitted().has_object_permission(request, None, hidden)  # type: ignore[arg-type]  # a request of Django's will do


def test_djangos_and_guardians_functions_work_and_ignore_denials(alice: User) -> None:
    order = Order.objects.create()
    assign_perm("shop.view_order", alice, order)
    request = RequestFactory().get("/")
    request.user = again(alice)

    assert again(alice).has_perm("shop.view_order", order)
    assert list(get_objects_for_user(again(alice), "shop.view_order")) == [order]
    alice.user_permissions.add(permission("shop.change_order"))
    assert again(alice).has_perm("shop.change_order")
    view: Any = type(
        "View", (), {"_ignore_model_permissions": False, "get_queryset": lambda self: Order.objects.all()}
    )()
    assert DjangoObjectPermissions().has_object_permission(request, view, order)

    assign_role(user=alice, role=create_role(name="no", denied_wildcards=["shop.*"]))

    assert not again(alice).has_perm("shop.view_order", order)
    assert not again(alice).has_perm("shop.change_order")
    assert not Order.objects.permitted(again(alice), "view").exists()
    assert list(get_objects_for_user(again(alice), "shop.view_order")) == [order], "guardian's own know no denial"


def test_the_report_lists_who_holds_what_and_why(alice: User) -> None:
    boss = create_role(name="=boss", parents=[make_role("reader", "shop.view_order")])
    assign_role(user=alice, role=boss, reason='=HYPERLINK("x")')
    assign_perm("shop.view_order", alice, Order.objects.create(pk=5))
    alice.user_permissions.add(permission("shop.change_order"))

    out = io.StringIO()
    call_command("access_report", stdout=out)
    as_json = io.StringIO()
    call_command("access_report", "--format", "json", "--holder", public(alice), stdout=as_json)

    rows = list(csv.DictReader(out.getvalue().splitlines()))
    assert [(row["source"], row["permission"], row["through"], row["scope"]) for row in rows] == [
        ("role", "shop.view_order", "'=boss > reader", "everywhere"),
        ("object", "shop.view_order", "", "shop.order:5"),
        ("alone", "shop.change_order", "", "everywhere"),
    ]
    assert rows[0]["reason"].startswith("'=")
    assert len([json.loads(line) for line in as_json.getvalue().splitlines()]) == 3


def test_the_page_of_a_person_links_to_the_explanation(alice: User) -> None:
    assign_role(user=alice, role=make_role("reader", "shop.view_order"), reason="hired")
    root = browser_of(User.objects.create_superuser("root"))

    person = root.get(f"/admin/auth/user/{alice.pk}/change/").content.decode()
    page = root.get(f"/admin/auth_rbac/assignment/explain/{alice.pk}/?permission=shop.view_order").content.decode()
    wrong = root.get(f"/admin/auth_rbac/assignment/explain/{alice.pk}/?permission=shop.nothing").content.decode()

    assert f"/admin/auth_rbac/assignment/explain/{alice.pk}/" in person
    assert "shop.view_order: allowed" in page
    assert "hired" in page
    assert "errornote" in wrong
    staff = User.objects.create_user("staff", is_staff=True)
    assert browser_of(staff).get(f"/admin/auth_rbac/assignment/explain/{alice.pk}/").status_code == 403


@pytest.mark.asvs("8.3.1")
def test_an_admin_cannot_assign_more_than_they_hold(manager_of: Manager, alice: User) -> None:
    carol = manager_of("carol")
    User.objects.filter(pk=carol.pk).update(is_staff=True)
    role = make_role("reader", "shop.view_order")
    moment = {"valid_from_0": "2026-01-01", "valid_from_1": "00:00:00", "valid_until_0": "", "valid_until_1": ""}

    answer = browser_of(carol).post(
        "/admin/auth_rbac/assignment/add/",
        {"user": alice.pk, "role": str(role.pk), "reason": "", **moment},
        follow=True,
    )

    assert "You do not have permission to do this." in answer.content.decode()
    assert not Assignment.objects.filter(user=alice).exists()


def test_an_explanation_has_a_sentence(alice: User) -> None:
    assert explain(again(alice), "shop.view_order").sentence == "No role or permission grants this."
