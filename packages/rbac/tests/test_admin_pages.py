"""The admin pages of object permissions and explanations."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client as Browser
from django.utils import timezone
from django.utils.html import escape
from guardian.models import UserObjectPermission

from auth_core.testing.counts import counted
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


def shown_text(answer: Any) -> str:
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
def test_an_object_permission_is_granted_shown_and_revoked(
    model: Any, by_group: bool, root: Browser, alice: User, readers: Group, recorded_events: list[Any]
) -> None:
    obj, holder = model.objects.create(), readers if by_group else alice
    alice.groups.add(readers)

    granted = root.post(of(holder), {"action": "give", **named(obj)}, follow=True)
    twice = root.post(of(holder), {"action": "give", **named(obj)}, follow=True)

    assert "The permission was granted." in shown_text(granted)
    assert "The permission had already been granted." in shown_text(twice)
    assert str(obj.pk) in shown_text(granted)
    assert check(again(alice), "view", obj)
    revoked = root.post(of(holder), {"action": "withdraw", **named(obj)}, follow=True)
    gone = root.post(of(holder), {"action": "withdraw", **named(obj)}, follow=True)
    assert "The permission was revoked." in shown_text(revoked)
    assert "The permission had not been granted." in shown_text(gone)
    assert not check(again(alice), "view", obj)
    ours = [event for event in recorded_events if isinstance(event.name, RbacEvent)]
    assert [event.name for event in ours] == [RbacEvent.OBJECT_PERMITTED, RbacEvent.OBJECT_WITHDRAWN]
    assert {event.actor.username for event in ours} == {"root"}


def test_the_inline_shows_a_few_rows_and_the_pages_show_all(root: Browser, alice: User, readers: Group) -> None:
    for number in range(60):
        for holder in (alice, readers):
            permit(
                holder=holder, permission="view", obj=Order.objects.create(pk=1000 + number + 100 * (holder == alice))
            )

    for holder, address in ((alice, f"/admin/auth/user/{alice.pk}/"), (readers, f"/admin/auth/group/{readers.pk}/")):
        beside = shown_text(root.get(f"{address}change/"))
        first = root.get(of(holder))
        second = root.get(f"{of(holder)}?{first.context['next']}")

        assert beside.count('<th scope="row">shop.view_order</th>') == 10
        assert f'href="{of(holder)}"' in beside
        assert (len(first.context["rows"]), len(second.context["rows"]), second.context["next"]) == (50, 10, "")
        assert not {row["key"] for row in first.context["rows"]} & {row["key"] for row in second.context["rows"]}
        assert 'rel="next"' in shown_text(first)


def test_every_row_links_to_its_explanation(root: Browser, alice: User) -> None:
    permit(holder=alice, permission="view", obj=Order.objects.create(pk=5))

    person = shown_text(root.get(f"/admin/auth/user/{alice.pk}/change/"))
    (row,) = root.get(of(alice)).context["rows"]
    why = shown_text(root.get(row["why"]))

    assert escape(row["why"]) in person
    assert f'href="{EXPLAIN}{alice.pk}/"' in person, "a person without roles has an explanation"
    assert "shop.view_order: allowed" in why
    assert "They have the permission shop.view_order for shop.order:5, without a role." in why


def test_the_number_of_queries_does_not_grow_with_the_rows(root: Browser, alice: User) -> None:
    def queries_with(more: int) -> int:
        for _n in range(more):
            permit(holder=alice, permission="view", obj=Order.objects.create())
        with counted() as counts:
            shown_text(root.get(of(alice)))
        return counts.queries

    assert queries_with(3) == queries_with(40)


def test_saving_a_person_changes_no_permission(root: Browser, alice: User) -> None:
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


def test_a_person_can_still_be_created(root: Browser) -> None:
    page = root.get("/admin/auth/group/add/")

    assert page.context["inline_admin_formsets"] == []
    assert root.get("/admin/auth/user/add/").status_code == 200
    assert root.post("/admin/auth/group/add/", {"name": "editors"}).status_code == 302
    assert Group.objects.get().name == "editors"


def test_the_page_of_a_group_shows_its_roles(root: Browser, readers: Group) -> None:
    assign_role(group=readers, role=make_role("boss", "shop.view_order"), reason="hired")

    page = shown_text(root.get(f"/admin/auth/group/{readers.pk}/change/"))

    assert "boss" in page
    assert "hired" in page


@pytest.mark.asvs("8.3.1")
def test_an_admin_cannot_grant_an_object_permission_they_do_not_hold(manager_of: Manager, alice: User) -> None:
    order, browser = Order.objects.create(), staff(manager_of("carol", "shop.view_order"))
    permit(holder=alice, permission="change", obj=order)

    for action, name in (("give", "delete"), ("withdraw", "change")):
        refused = browser.post(of(alice), {"action": action, **named(order, name)}, follow=True)
        assert "You do not have permission to do this." in shown_text(refused)
    assert browser.post(of(alice), {"action": "give", **named(order)}, follow=True).status_code == 200
    assert {row.permission.codename for row in UserObjectPermission.objects.all()} == {"change_order", "view_order"}


def test_a_read_only_admin_sees_the_pages_and_cannot_change_anything(alice: User, bob: User) -> None:
    order = Order.objects.create()
    permit(holder=bob, permission="view", obj=order)
    assign_role(user=alice, role=make_role("looks", "auth_rbac.view_assignment", "shop.view_order"))
    browser = staff(alice)

    page = shown_text(browser.get(of(bob)))

    assert "shop.view_order" in page
    assert 'type="submit"' not in page.partition('id="content-main"')[2].partition("</nav>")[0]
    for action in ("give", "withdraw"):
        assert browser.post(of(bob), {"action": action, **named(order)}).status_code == 403
    assert UserObjectPermission.objects.count() == 1


def test_an_admin_without_view_assignment_sees_no_inlines(alice: User, bob: User) -> None:
    assign_role(user=bob, role=make_role("boss of all", "shop.view_order"))
    permit(holder=bob, permission="view", obj=Order.objects.create())
    assign_role(user=alice, role=make_role("people", "auth.change_user", "auth.view_user"))

    page = shown_text(staff(alice).get(f"/admin/auth/user/{bob.pk}/change/"))

    assert "bob" in page
    assert "boss of all" not in page
    assert "shop.view_order" not in page


def test_is_staff_alone_shows_nothing(bob: User, alice: User, readers: Group) -> None:
    browser = staff(alice)

    for address in (of(bob), of(readers), EXPLAIN, f"{EXPLAIN}{bob.pk}/"):
        assert browser.get(address).status_code == 403
        assert Browser().get(address).status_code == 302


def test_a_request_from_another_site_grants_nothing(root: Browser, alice: User) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.cookies = root.cookies

    answer = browser.post(of(alice), {"action": "give", **named(Order.objects.create())})

    assert answer.status_code == 403
    assert not UserObjectPermission.objects.exists()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"permission": "shop.nothing"}, "This permission does not exist for this kind of object."),
        ({"permission": "shop.view_paper"}, "This permission does not exist for this kind of object."),
        ({"permission": ""}, "This field is required."),
        ({"kind": ""}, "This field is required."),
        ({"key": ""}, "This field is required."),
        ({"kind": "shop.nothing"}, "Unknown kind of object."),
        ({"key": "999999"}, "Object not found."),
        ({"key": "x"}, "Object not found."),
        ({"key": "9" * 300}, "at most 255 characters"),
    ],
)
def test_errors_are_shown_beside_the_field(change: dict[str, str], error: str, root: Browser, alice: User) -> None:
    answer = root.post(of(alice), {"action": "give", **named(Order.objects.create()), **change}, follow=True)

    assert error in shown_text(answer)
    assert not UserObjectPermission.objects.exists()


def test_unknown_people_groups_and_cursors_are_404(root: Browser, alice: User) -> None:
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


def test_a_permission_for_a_deleted_object_is_shown_and_cannot_be_revoked(root: Browser, alice: User) -> None:
    order = Order.objects.create()
    permit(holder=alice, permission="view", obj=order)
    body = named(order)
    delete_past_guards(order)

    assert body["key"] in shown_text(root.get(of(alice)))
    assert "Object not found." in shown_text(root.post(of(alice), {"action": "withdraw", **body}))


def test_the_explain_form_finds_a_person_by_any_identifier(root: Browser, alice: User) -> None:
    assign_role(user=alice, role=make_role("reader", "shop.view_order"))

    assert f'href="{EXPLAIN}"' in shown_text(root.get("/admin/auth_rbac/assignment/"))
    assert "<form" in shown_text(root.get(EXPLAIN))
    for name in ("alice", public(alice)):
        page = shown_text(root.get(EXPLAIN, {"subject": name, "permission": "shop.view_order"}))
        assert "shop.view_order: allowed" in page
        assert "Permissions of alice" in page
    nobody = shown_text(root.get(EXPLAIN, {"subject": "nobody", "permission": "shop.view_order"}))
    assert "Person or service not found." in nobody
    assert "errornote" in shown_text(root.get(EXPLAIN, {"subject": "alice", "permission": "shop.nothing"}))
    assert "errornote" in shown_text(root.get(EXPLAIN, {"subject": "alice", "permission": "nothing"}))


def test_every_step_of_a_path_is_explained_in_words(root: Browser, alice: User, readers: Group) -> None:
    company = Company.objects.create(name="here")
    order = Order.objects.create(branch=Branch.objects.create(company=company))
    alice.groups.add(readers)
    boss = create_role(name="boss", parents=[make_role("reader", "shop.view_order")])
    assign_role(
        group=readers, role=boss, scope=company, reason="hired", granted_by=User.objects.get(username="root"),
        valid_until=timezone.now() + timedelta(days=400),
    )  # fmt: skip

    (path,) = explain(again(alice), "view", order).paths
    sentences = list(steps(path))
    page = shown_text(root.get(EXPLAIN, {"subject": "alice", **named(order)}))

    assert sentences[:2] == ["The group readers has the role boss.", f"It applies to shop.company:{company.pk}."]
    assert sentences[2].startswith("From ")
    assert sentences[3:] == [
        "Granted by root.",
        "Reason: hired",
        "boss inherits from reader.",
        "reader allows shop.view_order.",
    ]
    for sentence in sentences:
        assert f"<li>{escape(sentence)}</li>" in page


def test_the_missing_conditions_are_listed(alice: User, readers: Group) -> None:
    now, order, hour = timezone.now(), Order.objects.create(), timedelta(hours=1)
    alice.groups.add(readers)

    def explanation_of(name: str, obj: Any = None) -> tuple[set[str], list[str]]:
        explanation = explain(again(alice), name, obj)
        return {step for path in explanation.paths for step in steps(path)}, list(missing(explanation))

    assert explanation_of("shop.view_order") == (set(), ["Nothing grants it."])
    soon, past = make_role("soon", "shop.view_order"), make_role("past", "shop.view_order")
    assign_role(user=alice, role=soon, valid_from=now + hour)
    assign_role(user=alice, role=past, valid_from=now - 2 * hour, valid_until=now - hour)
    assign_role(user=alice, role=soon, scope=order)
    lacks, remedies = explanation_of("shop.view_order")
    assert {"It is not in force yet.", "It has ended.", "It applies to another scope."} <= lacks
    assert remedies == [
        "Nothing listed here is in force for this request.", "Any of these roles would grant it: past, soon."
    ]  # fmt: skip
    assert explanation_of("view", order)[1] == [], "it is allowed"

    assign_role(user=alice, role=create_role(name="no", denials=[permission("shop.view_order")]))
    sentences, remedies = explanation_of("view", order)
    assert "no denies shop.view_order. A denial overrides every permission." in sentences
    assert remedies == ["Remove every denial that is in force, and grant the permission."]
    alice.user_permissions.add(permission("shop.add_order"))
    readers.permissions.add(permission("shop.add_order"))
    assert explanation_of("shop.add_order")[0] == {
        "They have the permission shop.add_order, without a role.",
        "The group readers has the permission shop.add_order, without a role.",
    }
    permit(holder=readers, permission="view", obj=order)
    expected = f"The group readers has the permission shop.view_order for shop.order:{order.pk}, without a role."
    assert expected in explanation_of("view", order)[0]


def test_names_and_reasons_are_escaped(root: Browser, alice: User) -> None:
    assign_role(user=alice, role=make_role("<b>bold</b>", "shop.view_order"), reason="<script>x</script>")

    page = shown_text(root.get(EXPLAIN, {"subject": "alice", "permission": "shop.view_order"}))

    assert "<script>x" not in page
    assert "&lt;b&gt;bold" in page


def test_the_inline_includes_tables_of_a_single_model(root: Browser, readers: Group) -> None:
    plan = Plan.objects.create()
    permit(holder=readers, permission="view", obj=plan)

    assert PlanGroupPermission.objects.count() == 1
    assert str(plan.pk) in shown_text(root.get(f"/admin/auth/group/{readers.pk}/change/"))
