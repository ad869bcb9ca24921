"""Every endpoint and admin page that changes permissions refuses a delegate more than they hold."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client as Browser
from django.urls import get_resolver
from guardian.models import UserObjectPermission
from guardian.shortcuts import assign_perm

from auth_rbac.api.object_views import object_permission_body
from auth_rbac.holders.lookup import holder_of
from auth_rbac.models import Assignment, Role
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import content_by_kind, create_role
from conftest import browser_of, held_by, make_role, named, permission
from robots.models import Robot
from shop.models import Order

pytestmark = pytest.mark.django_db

MOMENTS = {"valid_from_0": "2026-01-01", "valid_from_1": "00:00:00", "valid_until_0": "", "valid_until_1": ""}


class Site:
    """A delegate who may manage roles and holds nothing of the shop, and rows that they must not change."""

    def __init__(self, manager: Callable[..., User]) -> None:
        self.staff, self.friend = manager("staff"), User.objects.create_user("friend")
        User.objects.filter(pk=self.staff.pk).update(is_staff=True)
        self.group, self.order = Group.objects.create(name="team"), Order.objects.create()
        self.staff.groups.add(self.group)
        self.above = make_role("above", "shop.view_order")
        self.no = create_role(name="no", denials=[permission("shop.view_order")])
        self.theirs = assign_role(user=self.friend, role=self.above)
        self.denied = assign_role(user=self.staff, role=self.no)
        self.robot, other = (Robot.objects.create(name=name) for name in ("crawler", "other"))
        self.of_robot = assign_role(service_id=other.pk, role=self.above)
        assign_perm("shop.view_order", self.friend, self.order)
        self.view = permission("shop.view_order")

    def state(self) -> Any:
        roles = {role.name: (role.description, content_by_kind(role)) for role in Role.objects.all()}
        grants = sorted(UserObjectPermission.objects.values_list("user_id", "permission_id", "object_pk"))
        return roles, sorted(Assignment.objects.values_list("pk")), grants

    def api(self, method: str, address: str, body: Any = None) -> Any:
        request = getattr(browser_of(self.staff), method)
        return request(f"/api/v1/{address}", body, content_type="application/json")

    def admin(self, address: str, **fields: Any) -> Any:
        browser: Browser = browser_of(self.staff)
        return browser.post(f"/admin/auth_rbac/{address}", fields)


#: The attempts: the route's name and method, and a word. The last test fails for a route without one.
ATTEMPTS: dict[str, Callable[[Site], Any]] = {
    "roles POST permissions": lambda p: p.api("post", "roles/", {"name": "x", "permissions": ["shop.view_order"]}),
    "roles POST wildcards": lambda p: p.api("post", "roles/", {"name": "x", "wildcards": ["shop.*"]}),
    "roles POST denials": lambda p: p.api("post", "roles/", {"name": "x", "denials": ["shop.view_order"]}),
    "roles POST parents": lambda p: p.api("post", "roles/", {"name": "x", "parents": [str(p.above.pk)]}),
    "role PATCH description": lambda p: p.api("patch", f"roles/{p.above.pk}/", {"description": "mine"}),
    "role PATCH denials": lambda p: p.api("patch", f"roles/{p.no.pk}/", {"denials": []}),
    "role DELETE": lambda p: p.api("delete", f"roles/{p.above.pk}/"),
    "role DELETE denying": lambda p: p.api("delete", f"roles/{p.no.pk}/"),
    "assignments POST": lambda p: p.api("post", "assignments/", {"holder": held_by(p.staff), "role": str(p.above.pk)}),
    "assignments POST group": lambda p: p.api(
        "post", "assignments/", {"holder": held_by(p.group), "role": str(p.above.pk)}
    ),
    "assignments POST service": lambda p: p.api(
        "post", "assignments/", {"holder": held_by(p.robot.pk), "role": str(p.above.pk)}
    ),
    "assignments POST scope": lambda p: p.api(
        "post", "assignments/", {"holder": held_by(p.staff), "role": str(p.above.pk), "scope": named(p.order)}
    ),
    "assignment DELETE": lambda p: p.api("delete", f"assignments/{p.theirs.pk}/"),
    "assignment DELETE service": lambda p: p.api("delete", f"assignments/{p.of_robot.pk}/"),
    "assignment DELETE denying": lambda p: p.api("delete", f"assignments/{p.denied.pk}/"),
    "object-permissions POST": lambda p: p.api(
        "post",
        "object-permissions/",
        {"holder": held_by(p.staff), "permission": "shop.view_order", "object": named(p.order)},
    ),
    "object-permission DELETE": lambda p: p.api("delete", f"object-permissions/{_id_of_theirs(p)}/"),
    "admin role add": lambda p: p.admin("role/add/", name="x", permissions=[p.view.pk]),
    "admin role change": lambda p: p.admin(f"role/{p.no.pk}/change/", description="", denials=[]),
    "admin role delete": lambda p: p.admin(f"role/{p.above.pk}/delete/", post="yes"),
    "admin role action": lambda p: p.admin(
        "role/", action="delete_selected", _selected_action=[str(p.above.pk)], post="yes"
    ),
    "admin assignment add": lambda p: p.admin("assignment/add/", user=p.staff.pk, role=str(p.above.pk), **MOMENTS),
    "admin assignment group": lambda p: p.admin("assignment/add/", group=p.group.pk, role=str(p.above.pk), **MOMENTS),
    "admin assignment service": lambda p: p.admin(
        "assignment/add/", service_id=str(p.robot.pk), role=str(p.above.pk), **MOMENTS
    ),
    "admin assignment delete service": lambda p: p.admin(f"assignment/{p.of_robot.pk}/delete/", post="yes"),
    "admin assignment delete": lambda p: p.admin(f"assignment/{p.denied.pk}/delete/", post="yes"),
    "admin assignment action": lambda p: p.admin(
        "assignment/", action="delete_selected", _selected_action=[str(p.theirs.pk), str(p.denied.pk)], post="yes"
    ),
    "admin objects give": lambda p: p.admin(
        f"assignment/objects/person/{p.staff.pk}/", permission="shop.view_order", kind="shop.order", key=str(p.order.pk)
    ),
    "admin objects take": lambda p: p.admin(
        f"assignment/objects/person/{p.friend.pk}/",
        action="withdraw",
        permission="shop.view_order",
        kind="shop.order",
        key=str(p.order.pk),
    ),
    "admin objects group": lambda p: p.admin(
        f"assignment/objects/group/{p.group.pk}/", permission="shop.view_order", kind="shop.order", key=str(p.order.pk)
    ),
}


def _id_of_theirs(site: Site) -> str:
    return str(
        object_permission_body(holder_of(site.friend), "shop.view_order", "shop.order", str(site.order.pk))["id"]
    )


@pytest.mark.parametrize("attempt", sorted(ATTEMPTS))
def test_a_delegate_cannot_give_or_take_more_than_they_hold(attempt: str, manager_of: Callable[..., User]) -> None:
    site = Site(manager_of)
    before = site.state()

    answer = ATTEMPTS[attempt](site)

    assert site.state() == before
    if attempt.startswith("admin"):
        assert answer.status_code == 302
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_every_writing_endpoint_is_covered() -> None:
    writing = {
        f"{pattern.name} {method.upper()}"
        for pattern in get_resolver("auth_rbac.api.urls").url_patterns
        for method in ("post", "put", "patch", "delete")
        if hasattr(pattern.callback.view_class, method) and not str(pattern.name).startswith("access-")
    }

    assert writing <= {" ".join(attempt.split()[:2]) for attempt in ATTEMPTS}
