"""A role does not grant the authority for its own change: the state before the change decides, on every path."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from auth_rbac.models import Role
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import change_role, content_by_kind, create_role
from conftest import again, browser_of, make_role, permission

pytestmark = pytest.mark.django_db

#: The two permissions that the staff member tries to gain.
TWO = ("auth_rbac.view_role", "auth_rbac.change_role")


@pytest.fixture
def staff(db: None) -> User:
    """A staff member whose only permissions are to view and change roles, by a role of their own."""
    user = User.objects.create_user("staff", is_staff=True)
    assign_role(user=user, role=make_role("Own", *TWO))
    return user


def own_role() -> Role:
    return Role.objects.get(key="own")


def escalation(kind: str) -> dict[str, Any]:
    """Return a change of this kind that would add to their own role what they do not hold."""
    above = create_role(name="Above", wildcards=["auth.*"])
    if kind == "denials":
        change_role(role=own_role(), denials=[permission("shop.view_order")], wildcards=["shop.*"])
    changes: dict[str, dict[str, Any]] = {
        "permissions": {"permissions": [*TWO, "auth.change_user"]},
        "wildcards": {"wildcards": ["auth.*"]},
        "parents": {"parents": [str(above.pk)]},
        "denials": {"denials": []},
        "denied_wildcards": {"denied_wildcards": ["auth.*"]},
    }
    return changes[kind]


def form_of(role: Role, change: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of the role's admin page, with a change."""
    fields: dict[str, Any] = {"description": role.description, **content_by_kind(role), **change}
    for kind in ("permissions", "denials"):
        fields[kind] = [permission(name).pk for name in fields[kind]]
    for kind in ("wildcards", "denied_wildcards"):
        fields[kind] = "\n".join(fields[kind])
    return fields


KINDS = ["permissions", "wildcards", "parents", "denials", "denied_wildcards"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_holder_gains_nothing_by_changing_their_role_over_the_api(kind: str, staff: User) -> None:
    change = escalation(kind)
    before, permissions = content_by_kind(own_role()), again(staff).get_all_permissions()

    answer = browser_of(staff).patch(f"/api/v1/roles/{own_role().pk}/", change, content_type="application/json")

    assert (answer.status_code, answer.json().get("code")) == (403, "permission_denied")
    assert content_by_kind(own_role()) == before
    assert again(staff).get_all_permissions() == permissions


@pytest.mark.parametrize("kind", KINDS)
def test_a_holder_gains_nothing_by_changing_their_role_in_the_admin(kind: str, staff: User) -> None:
    change = escalation(kind)
    before, permissions = content_by_kind(own_role()), again(staff).get_all_permissions()

    browser_of(staff).post(f"/admin/auth_rbac/role/{own_role().pk}/change/", form_of(own_role(), change))

    assert content_by_kind(own_role()) == before
    assert again(staff).get_all_permissions() == permissions


@pytest.mark.parametrize("by", ["group", "parent"])
def test_a_holder_through_a_group_or_a_parent_gains_nothing(by: str, staff: User) -> None:
    indirect = create_role(name="Indirect")
    if by == "group":
        group = Group.objects.create(name="g")
        staff.groups.add(group)
        assign_role(group=group, role=indirect)
    else:
        change_role(role=own_role(), parents=[indirect])

    answer = browser_of(staff).patch(
        f"/api/v1/roles/{indirect.pk}/", {"wildcards": ["auth.*"]}, content_type="application/json"
    )

    assert (answer.status_code, answer.json().get("code")) == (403, "permission_denied")
    assert again(staff).get_all_permissions() == set(TWO)


def test_an_admin_changes_a_role_within_what_they_hold(staff: User) -> None:
    mine = make_role("Mine", "auth_rbac.view_role")

    browser_of(staff).post(f"/admin/auth_rbac/role/{mine.pk}/change/", form_of(mine, {"permissions": list(TWO)}))

    assert content_by_kind(mine)["permissions"] == sorted(TWO)
