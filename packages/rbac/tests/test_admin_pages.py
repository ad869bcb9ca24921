"""In the admin: what was given for single objects beside the roles, and answers in words to whatever is asked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client as Browser
from django.utils import timezone
from django.utils.html import escape
from guardian.models import UserObjectPermission

from auth_core.testing.counting import counted
from auth_rbac.decisions.decisions import check
from auth_rbac.events import RbacEvent
from auth_rbac.explanations.explanations import explain
from auth_rbac.explanations.text import missing, steps
from auth_rbac.objects.grants import permit
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role
from conftest import again, browser_of, delete_past_guards, make_role, permission, public
from shop.models import Branch, Company, Order, Paper, Plan, PlanGroupPermission

pytestmark = pytest.mark.django_db

Manager = Callable[..., User]

EXPLAIN = "/admin/auth_rbac/assignment/explain/"


def of(holder: Any) -> str:
    kind = "group" if isinstance(holder, Group) else "person"
    return f"/admin/auth_rbac/assignment/objects/{kind}/{holder.pk}/"


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


@pytest.fixture
def root(db: None) -> Browser:
    """The browser of a superuser."""
    return browser_of(User.objects.create_superuser("root", "root@example.org"))


@pytest.fixture
def readers(db: None) -> Group:
    """A group."""
    return Group.objects.create(name="readers")


def named(obj: Any, name: str = "view") -> dict[str, str]:
    meta = obj._meta
    return {"permission": f"shop.{name}_{meta.model_name}", "kind": meta.label_lower, "key": str(obj.pk)}


def staff(user: User) -> Browser:
    User.objects.filter(pk=user.pk).update(is_staff=True)
    return browser_of(user)


@pytest.mark.parametrize("model", [Order, Paper, Plan])
@pytest.mark.parametrize("by_group", [False, True])
def test_it_is_given_shown_and_taken_away(
    model: Any, by_group: bool, root: Browser, alice: User, readers: Group, recorded_events: list[Any]
) -> None:
    obj, holder = model.objects.create(), readers if by_group else alice
    alice.groups.add(readers)

    given = root.post(of(holder), {"action": "give", **named(obj)}, follow=True)
    twice = root.post(of(holder), {"action": "give", **named(obj)}, follow=True)

    assert "It was given." in text_of(given)
    assert "It had been given already." in text_of(twice)
    assert str(obj.pk) in text_of(given)
    assert check(again(alice), "view", obj)
    taken = root.post(of(holder), {"action": "withdraw", **named(obj)}, follow=True)
    gone = root.post(of(holder), {"action": "withdraw", **named(obj)}, follow=True)
    assert "It was taken away." in text_of(taken)
    assert "There was nothing to take away." in text_of(gone)
    assert not check(again(alice), "view", obj)
    ours = [event for event in recorded_events if isinstance(event.name, RbacEvent)]
    assert [event.name for event in ours] == [RbacEvent.OBJECT_PERMITTED, RbacEvent.OBJECT_WITHDRAWN]
    assert {event.actor.username for event in ours} == {"root"}


def test_a_few_stand_beside_the_roles_and_the_rest_on_pages(root: Browser, alice: User, readers: Group) -> None:
    for number in range(60):
        for holder in (alice, readers):
            permit(
                holder=holder, permission="view", obj=Order.objects.create(pk=1000 + number + 100 * (holder == alice))
            )

    for holder, address in ((alice, f"/admin/auth/user/{alice.pk}/"), (readers, f"/admin/auth/group/{readers.pk}/")):
        beside = text_of(root.get(f"{address}change/"))
        first = root.get(of(holder))
        second = root.get(f"{of(holder)}?{first.context['next']}")

        assert beside.count('<th scope="row">shop.view_order</th>') == 10
        assert f'href="{of(holder)}"' in beside
        assert (len(first.context["rows"]), len(second.context["rows"]), second.context["next"]) == (50, 10, "")
        assert not {row["key"] for row in first.context["rows"]} & {row["key"] for row in second.context["rows"]}
        assert 'rel="next"' in text_of(first)


def test_every_row_leads_to_its_explanation(root: Browser, alice: User) -> None:
    permit(holder=alice, permission="view", obj=Order.objects.create(pk=5))

    person = text_of(root.get(f"/admin/auth/user/{alice.pk}/change/"))
    (row,) = root.get(of(alice)).context["rows"]
    why = text_of(root.get(row["why"]))

    assert escape(row["why"]) in person
    assert f'href="{EXPLAIN}{alice.pk}/"' in person, "whoever holds nothing is explained, too"
    assert "shop.view_order: yes" in why
    assert "They were given shop.view_order for shop.order:5 alone." in why


def test_a_page_asks_no_more_for_more_rows(root: Browser, alice: User) -> None:
    def queries_with(more: int) -> int:
        for _n in range(more):
            permit(holder=alice, permission="view", obj=Order.objects.create())
        with counted() as counts:
            text_of(root.get(of(alice)))
        return counts.queries

    assert queries_with(3) == queries_with(40)


def test_the_page_of_a_person_is_saved_as_before_and_changes_no_permission(root: Browser, alice: User) -> None:
    permit(holder=alice, permission="view", obj=Order.objects.create())
    page = root.get(f"/admin/auth/user/{alice.pk}/change/")
    body = {"username": "alice", "email": "new@example.org", "is_active": "on", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}  # fmt: skip
    for inline in page.context["inline_admin_formsets"]:
        for field in inline.formset.management_form:
            body[field.html_name] = field.value()

    answer = root.post(f"/admin/auth/user/{alice.pk}/change/", body)

    assert answer.status_code == 302, answer.context["errors"]
    assert again(alice).email == "new@example.org"
    assert UserObjectPermission.objects.count() == 1


def test_who_is_not_made_yet_is_made_as_before(root: Browser) -> None:
    page = root.get("/admin/auth/group/add/")

    assert page.context["inline_admin_formsets"] == []
    assert root.get("/admin/auth/user/add/").status_code == 200
    assert root.post("/admin/auth/group/add/", {"name": "editors"}).status_code == 302
    assert Group.objects.get().name == "editors"


def test_roles_of_a_group_stand_on_its_page(root: Browser, readers: Group) -> None:
    assign_role(group=readers, role=make_role("boss", "shop.view_order"), reason="hired")

    page = text_of(root.get(f"/admin/auth/group/{readers.pk}/change/"))

    assert "boss" in page
    assert "hired" in page


@pytest.mark.asvs("8.3.1")
def test_nobody_gives_in_the_admin_what_they_do_not_hold(manager_of: Manager, alice: User) -> None:
    order, browser = Order.objects.create(), staff(manager_of("carol", "shop.view_order"))
    permit(holder=alice, permission="change", obj=order)

    for action, name in (("give", "delete"), ("withdraw", "change")):
        refused = browser.post(of(alice), {"action": action, **named(order, name)}, follow=True)
        assert "You do not have permission to do this." in text_of(refused)
    assert browser.post(of(alice), {"action": "give", **named(order)}, follow=True).status_code == 200
    assert {row.permission.codename for row in UserObjectPermission.objects.all()} == {"change_order", "view_order"}


def test_whoever_may_only_look_looks(alice: User, bob: User) -> None:
    order = Order.objects.create()
    permit(holder=bob, permission="view", obj=order)
    assign_role(user=alice, role=make_role("looks", "auth_rbac.view_assignment", "shop.view_order"))
    browser = staff(alice)

    page = text_of(browser.get(of(bob)))

    assert "shop.view_order" in page
    assert 'type="submit"' not in page.partition('id="content-main"')[2].partition("</nav>")[0]
    for action in ("give", "withdraw"):
        assert browser.post(of(bob), {"action": action, **named(order)}).status_code == 403
    assert UserObjectPermission.objects.count() == 1


def test_whoever_changes_people_and_sees_no_assignments_sees_none_beside_them(alice: User, bob: User) -> None:
    assign_role(user=bob, role=make_role("boss of all", "shop.view_order"))
    permit(holder=bob, permission="view", obj=Order.objects.create())
    assign_role(user=alice, role=make_role("people", "auth.change_user", "auth.view_user"))

    page = text_of(staff(alice).get(f"/admin/auth/user/{bob.pk}/change/"))

    assert "bob" in page
    assert "boss of all" not in page
    assert "shop.view_order" not in page


def test_staff_alone_see_nothing(bob: User, alice: User, readers: Group) -> None:
    browser = staff(alice)

    for address in (of(bob), of(readers), EXPLAIN, f"{EXPLAIN}{bob.pk}/"):
        assert browser.get(address).status_code == 403
        assert Browser().get(address).status_code == 302


def test_another_site_gives_nothing(root: Browser, alice: User) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.cookies = root.cookies

    answer = browser.post(of(alice), {"action": "give", **named(Order.objects.create())})

    assert answer.status_code == 403
    assert not UserObjectPermission.objects.exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"permission": "shop.nothing"}, "There is no such permission for this object."),
        ({"permission": "shop.view_paper"}, "There is no such permission for this object."),
        ({"permission": ""}, "This field is required."),
        ({"kind": ""}, "This field is required."),
        ({"key": ""}, "This field is required."),
        ({"kind": "shop.nothing"}, "There are no such objects."),
        ({"key": "999999"}, "There is no such object."),
        ({"key": "x"}, "There is no such object."),
        ({"key": "9" * 300}, "at most 255 characters"),
    ],
)
def test_bad_input_is_told_beside_the_field(change: dict[str, str], told: str, root: Browser, alice: User) -> None:
    answer = root.post(of(alice), {"action": "give", **named(Order.objects.create()), **change}, follow=True)

    assert told in text_of(answer)
    assert not UserObjectPermission.objects.exists()


def test_what_is_not_there_is_404(root: Browser, alice: User) -> None:
    table = UserObjectPermission._meta.db_table

    for address in (
        "objects/person/999999/",
        "objects/person/x/",
        "objects/group/999999/",
        "objects/group/x/",
        "explain/x/",
    ):
        assert root.get(f"/admin/auth_rbac/assignment/{address}").status_code == 404, address
    assert root.get(f"{of(alice)}?after={table}:x").status_code == 404


def test_a_key_of_what_is_gone_is_shown_and_told(root: Browser, alice: User) -> None:
    order = Order.objects.create()
    permit(holder=alice, permission="view", obj=order)
    body = named(order)
    delete_past_guards(order)

    assert body["key"] in text_of(root.get(of(alice)))
    assert "There is no such object." in text_of(root.post(of(alice), {"action": "withdraw", **body}))


def test_anybody_is_asked_about_in_one_form(root: Browser, alice: User) -> None:
    assign_role(user=alice, role=make_role("reader", "shop.view_order"))

    assert f'href="{EXPLAIN}"' in text_of(root.get("/admin/auth_rbac/assignment/"))
    assert "<form" in text_of(root.get(EXPLAIN))
    for name in ("alice", public(alice)):
        told = text_of(root.get(EXPLAIN, {"person": name, "permission": "shop.view_order"}))
        assert "shop.view_order: yes" in told
        assert "What alice may do, and why" in told
    nobody = text_of(root.get(EXPLAIN, {"person": "nobody", "permission": "shop.view_order"}))
    assert "There is nobody of this name." in nobody
    assert "errornote" in text_of(root.get(EXPLAIN, {"person": "alice", "permission": "shop.nothing"}))
    assert "errornote" in text_of(root.get(EXPLAIN, {"person": "alice", "permission": "nothing"}))


def test_the_whole_way_is_told_in_words(root: Browser, alice: User, readers: Group) -> None:
    company = Company.objects.create(name="here")
    order = Order.objects.create(branch=Branch.objects.create(company=company))
    alice.groups.add(readers)
    boss = create_role(name="boss", parents=[make_role("reader", "shop.view_order")])
    assign_role(
        group=readers, role=boss, scope=company, reason="hired", granted_by=User.objects.get(username="root"),
        valid_until=timezone.now() + timedelta(days=400),
    )  # fmt: skip

    (way,) = explain(again(alice), "view", order).paths
    said = list(steps(way))
    page = text_of(root.get(EXPLAIN, {"person": "alice", **named(order)}))

    assert said[:2] == ["The group readers holds the role boss.", f"It holds for shop.company:{company.pk}."]
    assert said[2].startswith("From ")
    assert said[3:] == [
        "Given by root.",
        "Reason: hired",
        "boss says what reader says.",
        "reader allows shop.view_order.",
    ]
    for sentence in said:
        assert f"<li>{escape(sentence)}</li>" in page


def test_what_is_missing_is_told(alice: User, readers: Group) -> None:
    now, order, hour = timezone.now(), Order.objects.create(), timedelta(hours=1)
    alice.groups.add(readers)

    def told(name: str, obj: Any = None) -> tuple[set[str], list[str]]:
        explanation = explain(again(alice), name, obj)
        return {step for way in explanation.paths for step in steps(way)}, list(missing(explanation))

    assert told("shop.view_order") == (set(), ["Nothing leads there."])
    soon, past = make_role("soon", "shop.view_order"), make_role("past", "shop.view_order")
    assign_role(user=alice, role=soon, valid_from=now + hour)
    assign_role(user=alice, role=past, valid_from=now - 2 * hour, valid_until=now - hour)
    assign_role(user=alice, role=soon, scope=order)
    lacks, open_ways = told("shop.view_order")
    assert {"It has not begun yet.", "It is over.", "It holds elsewhere, and not for what was asked."} <= lacks
    assert open_ways == ["Nothing of it counts now for what was asked.", "One of these roles would let: past, soon."]
    assert told("view", order)[1] == [], "it is allowed"

    assign_role(user=alice, role=create_role(name="no", denials=[permission("shop.view_order")]))
    said, lifted = told("view", order)
    assert "no denies shop.view_order, and a denial wins." in said
    assert lifted == ["Every denial that counts would have to be taken away, and something would have to allow it."]
    alice.user_permissions.add(permission("shop.add_order"))
    readers.permissions.add(permission("shop.add_order"))
    assert told("shop.add_order")[0] == {
        "They have shop.add_order without any role.", "The group readers has shop.add_order without any role.",
    }  # fmt: skip
    permit(holder=readers, permission="view", obj=order)
    assert f"The group readers was given shop.view_order for shop.order:{order.pk} alone." in told("view", order)[0]


def test_what_people_typed_is_shown_as_text(root: Browser, alice: User) -> None:
    assign_role(user=alice, role=make_role("<b>bold</b>", "shop.view_order"), reason="<script>x</script>")

    page = text_of(root.get(EXPLAIN, {"person": "alice", "permission": "shop.view_order"}))

    assert "<script>x" not in page
    assert "&lt;b&gt;bold" in page


def test_tables_of_a_models_own_are_beside_as_well(root: Browser, readers: Group) -> None:
    plan = Plan.objects.create()
    permit(holder=readers, permission="view", obj=plan)

    assert PlanGroupPermission.objects.count() == 1
    assert str(plan.pk) in text_of(root.get(f"/admin/auth/group/{readers.pk}/change/"))
