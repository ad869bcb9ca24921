"""The admin of any site: staff cannot give what they do not hold, or change people who hold more."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from django.utils import timezone
from guardian.models import UserObjectPermission

from auth_core.authority import acting, check_group, check_over
from auth_core.errors import PermissionRefused
from auth_rbac.models import Assignment
from auth_rbac.objects.grants import permit
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role
from conftest import again, browser_of, make_role, permission
from shop.models import Branch, Company, Order

pytestmark = [pytest.mark.django_db]

HELD = (
    "view_user",
    "change_user",
    "delete_user",
    "view_group",
    "change_group",
    "delete_group",
    "view_assignment",
    "add_assignment",
)
PASSWORD = "another password of mine"


@pytest.fixture(autouse=True)
def guarded_site(settings: Any) -> None:
    settings.ROOT_URLCONF = "guarded_urls"


@pytest.fixture
def own(db: None) -> Group:
    """The group of the clerk."""
    group = Group.objects.create(name="clerks")
    group.permissions.set(Permission.objects.filter(codename__in=HELD))
    return group


@pytest.fixture
def clerk(own: Group) -> User:
    """A staff member who may change people and groups."""
    user = User.objects.create_user("clerk", is_staff=True)
    user.groups.add(own)
    return user


@pytest.fixture
def root(db: None) -> User:
    """A superuser. There is another one, so that they can be removed."""
    User.objects.create_superuser("chief")
    return User.objects.create_superuser("root", "root@example.org", "correct horse battery staple")


def _group(browser: Browser, group: Group, permissions: Any = None, **row: str) -> Any:
    """Post the page of *group*, with one row of the inline that has these fields."""
    address = _of(Group, group.pk, "change")
    fields: dict[str, Any] = {"name": group.name, "permissions": permissions}
    if permissions is None:
        fields["permissions"] = list(group.permissions.values_list("pk", flat=True))
    for inline in browser.get(address).context["inline_admin_formsets"]:
        fits = bool(row) and set(row) <= set(inline.formset.form.base_fields)
        prefix = inline.formset.prefix
        fields |= {f"{prefix}-INITIAL_FORMS": "0", f"{prefix}-TOTAL_FORMS": str(int(fits))}
        fields |= {f"{prefix}-0-{name}": value for name, value in row.items() if fits}
    return browser.post(address, fields)


def _of(model: Any, *parts: Any) -> str:
    return "/".join(["/guarded", model._meta.app_label, model._meta.model_name, *(str(part) for part in parts), ""])


def _person(user: User, **flags: Any) -> dict[str, Any]:
    moment = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    return {"username": user.username, "is_active": "on", **moment, **flags}


def all_permissions_to_the_own_group(browser: Browser, own: Group, root: User) -> Any:
    return _group(browser, own, list(Permission.objects.values_list("pk", flat=True)))


def a_role_to_the_own_group_by_an_inline(browser: Browser, own: Group, root: User) -> Any:
    return _group(browser, own, role=str(make_role("Auditor", "shop.view_order").pk))


def a_superuser_into_the_own_group_by_an_inline(browser: Browser, own: Group, root: User) -> Any:
    return _group(browser, own, user=str(root.pk))


def the_password_of_a_superuser(browser: Browser, own: Group, root: User) -> Any:
    fields = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    return browser.post(_of(User, root.pk, "password"), fields)


def the_address_of_a_superuser(browser: Browser, own: Group, root: User) -> Any:
    flags = {"is_staff": "on", "is_superuser": "on"}
    return browser.post(_of(User, root.pk, "change"), _person(root, email="mine@example.org", **flags))


def a_flag_for_oneself(browser: Browser, own: Group, root: User) -> Any:
    clerk = User.objects.get(username="clerk")
    flags: dict[str, Any] = {"is_staff": "on", "is_superuser": "on", "groups": [own.pk]}
    return browser.post(_of(User, clerk.pk, "change"), _person(clerk, **flags))


def a_permission_for_oneself(browser: Browser, own: Group, root: User) -> Any:
    clerk = User.objects.get(username="clerk")
    beyond = permission("auth.change_permission").pk
    return browser.post(
        _of(User, clerk.pk, "change"), _person(clerk, is_staff="on", groups=[own.pk], user_permissions=[beyond])
    )


def a_flag_in_the_list(browser: Browser, own: Group, root: User) -> Any:
    people = list(User.objects.order_by("username"))
    rows = {f"form-{number}-id": str(user.pk) for number, user in enumerate(people)}
    flags = {f"form-{number}-is_superuser": "on" for number in range(len(people))}
    counts = {"form-TOTAL_FORMS": str(len(people)), "form-INITIAL_FORMS": str(len(people))}
    return browser.post(_of(User), {**counts, **rows, **flags, "_save": "Save"})


def a_flag_by_an_action(browser: Browser, own: Group, root: User) -> Any:
    clerk = User.objects.get(username="clerk")
    return browser.post(_of(User), {"action": "promote", "_selected_action": [str(clerk.pk)]})


def the_deletion_of_a_superuser(browser: Browser, own: Group, root: User) -> Any:
    return browser.post(_of(User, root.pk, "delete"), {"post": "yes"})


def the_deletion_of_many(browser: Browser, own: Group, root: User) -> Any:
    body = {"action": "delete_selected", "_selected_action": [str(root.pk)], "post": "yes"}
    return browser.post(_of(User), body)


def a_permission_with_another_name(browser: Browser, own: Group, root: User) -> Any:
    existing = permission("auth.view_user")
    fields = {"name": "mine", "content_type": existing.content_type_id, "codename": "delete_everything"}
    return browser.post(_of(Permission, existing.pk, "change"), fields)


def a_content_type_with_another_name(browser: Browser, own: Group, root: User) -> Any:
    kind = ContentType.objects.get_for_model(Group)
    return browser.post(_of(ContentType, kind.pk, "change"), {"app_label": "auth", "model": "nothing"})


def the_log_of_the_admin(browser: Browser, own: Group, root: User) -> Any:
    entry = LogEntry.objects.create(user=root, object_repr="x", action_flag=ADDITION)
    return browser.post(_of(LogEntry, entry.pk, "delete"), {"post": "yes"})


def the_session_of_a_superuser(browser: Browser, own: Group, root: User) -> Any:
    browser_of(root)
    session = next(row for row in Session.objects.all() if row.get_decoded()["_auth_user_id"] == str(root.pk))
    return browser.post(_of(Session, session.pk, "delete"), {"post": "yes"})


def an_object_by_guardians_page(browser: Browser, own: Group, root: User) -> Any:
    order, clerk = Order.objects.create(), User.objects.get(username="clerk")
    address = _of(Order, order.pk, "permissions", "user-manage", clerk.pk)
    return browser.post(address, {"permissions": ["view_order"], "submit": "Save"})


WAYS: list[Callable[[Browser, Group, User], Any]] = [
    all_permissions_to_the_own_group,
    a_role_to_the_own_group_by_an_inline,
    a_superuser_into_the_own_group_by_an_inline,
    the_password_of_a_superuser,
    the_address_of_a_superuser,
    a_flag_for_oneself,
    a_permission_for_oneself,
    a_flag_in_the_list,
    a_flag_by_an_action,
    the_deletion_of_a_superuser,
    the_deletion_of_many,
    a_permission_with_another_name,
    a_content_type_with_another_name,
    the_log_of_the_admin,
    the_session_of_a_superuser,
    an_object_by_guardians_page,
]


def state() -> dict[str, Any]:
    models = (User, Group, Permission, ContentType, Assignment, UserObjectPermission)
    joins = (User.groups.through, User.user_permissions.through, Group.permissions.through)
    return {
        model._meta.label: [
            {name: value for name, value in row.items() if name != "last_login"}
            for row in model._base_manager.order_by("pk").values()
        ]
        for model in (*models, *joins)
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_staff_cannot_give_what_they_do_not_hold(way: Any, clerk: User, own: Group, root: User) -> None:
    browser, before = browser_of(clerk), state()

    answer = way(browser, own, root)

    assert answer.status_code == 403, answer.content[:300]
    assert state() == before
    root.refresh_from_db()
    assert root.check_password("correct horse battery staple")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_superuser_can_do_all_of_it(way: Any, clerk: User, own: Group, root: User) -> None:
    browser, before = browser_of(User.objects.get(username="chief")), state()

    answer = way(browser, own, root)

    assert answer.status_code == 302, answer.content[:2000]
    if way not in (the_log_of_the_admin, the_session_of_a_superuser):
        assert state() != before


def test_staff_can_give_what_they_hold(clerk: User, own: Group, alice: User, root: User) -> None:
    browser, juniors = browser_of(clerk), Group.objects.create(name="juniors")
    few = [permission("auth.view_user").pk]

    grown = _group(browser, juniors, few)
    named = browser.post(_of(User, alice.pk, "change"), _person(alice, groups=[juniors.pk], is_staff="on"))
    fields = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    password = browser.post(_of(User, alice.pk, "password"), fields)
    gone = browser.post(_of(User, alice.pk, "delete"), {"post": "yes"})

    assert [answer.status_code for answer in (grown, named, password, gone)] == [302] * 4
    assert not User.objects.filter(pk=alice.pk).exists()


# What roles add to the comparison.


@pytest.fixture
def helper(db: None) -> User:
    """A person with all permissions for the orders of one company."""
    user = User.objects.create_user("helper")
    company = Company.objects.create(name="ours")
    assign_role(user=user, role=make_role("Helper", "shop.view_order"), scope=company)
    return user


def covers(actor: User, person: User) -> bool:
    try:
        check_over(again(actor), again(person))
    except PermissionRefused:
        return False
    return True


def test_a_role_in_a_scope_is_compared_in_that_scope(helper: User, alice: User) -> None:
    ours = Company.objects.get(name="ours")
    branch = Branch.objects.create(company=ours)
    role = make_role("Clerk", "shop.view_order")

    assignment = assign_role(user=alice, role=role, scope=branch)
    assert covers(helper, alice), "a branch of the company in which they hold it"

    assignment.delete()
    assign_role(user=alice, role=role, scope=Company.objects.create(name="theirs"))
    assert not covers(helper, alice)


def test_a_role_that_begins_later_is_compared_now(helper: User, alice: User) -> None:
    assign_role(user=alice, role=make_role("Later", "shop.add_order"), valid_from=timezone.now() + timedelta(days=1))

    assert not covers(helper, alice)


def test_a_role_that_has_ended_is_not_compared(helper: User, alice: User) -> None:
    begun = timezone.now() - timedelta(days=2)
    assign_role(
        user=alice, role=make_role("Over", "shop.add_order"), valid_from=begun, valid_until=begun + timedelta(days=1)
    )

    assert covers(helper, alice)


def test_wildcards_parents_and_groups_are_compared_by_their_permissions(helper: User, alice: User, bob: User) -> None:
    parent = create_role(name="Parent", wildcards=["shop.order.*"])
    group = Group.objects.create(name="sellers")
    assign_role(group=group, role=create_role(name="Child", parents=[parent]))
    alice.groups.add(group)
    assign_role(user=bob, role=create_role(name="Shop", wildcards=["shop.*"]))

    assert not covers(helper, alice)
    assert covers(bob, alice)
    assert not covers(alice, bob)
    check_group(again(bob), group)
    with pytest.raises(PermissionRefused):
        check_group(again(helper), group)


def test_a_denied_permission_is_not_held(bob: User, alice: User) -> None:
    assign_role(user=alice, role=make_role("Seller", "shop.view_order"))
    assign_role(user=bob, role=create_role(name="Shop", wildcards=["shop.*"]))
    assert covers(bob, alice)

    assign_role(user=bob, role=create_role(name="Not", denials=[permission("shop.view_order")]))

    assert not covers(bob, alice)


def test_a_denial_in_one_scope_counts_there(bob: User, alice: User) -> None:
    theirs = Company.objects.create(name="theirs")
    assign_role(user=alice, role=make_role("Seller", "shop.view_order"), scope=theirs)
    assign_role(user=bob, role=create_role(name="Shop", wildcards=["shop.*"]))
    assert covers(bob, alice)

    assign_role(user=bob, role=create_role(name="Not", denials=[permission("shop.view_order")]), scope=theirs)

    assert not covers(bob, alice)


def test_a_permission_for_one_object_is_compared_for_that_object(helper: User, alice: User, bob: User) -> None:
    order = Order.objects.create()
    permit(holder=alice, permission="view", obj=order)

    assert not covers(helper, alice)
    permit(holder=bob, permission="view", obj=order)
    assert covers(bob, alice)


def test_a_temporary_permission_cannot_be_given_permanently(bob: User, own: Group) -> None:
    bob.user_permissions.set(own.permissions.all())
    assign_role(user=bob, role=make_role("Seller", "shop.view_order"), valid_until=timezone.now() + timedelta(days=1))
    assert again(bob).has_perm("shop.view_order")

    with pytest.raises(PermissionRefused), acting(bob):
        own.permissions.add(permission("shop.view_order"))
