"""Roles, assignments and their API."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth import authenticate
from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.checks import run_checks
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from auth_core.errors import Conflict, InvalidRequest
from auth_core.people.lookup import identity_of
from auth_core.registries import exports, facts
from auth_core.testing.browsers import post
from auth_core.testing.plans import unindexed
from auth_rbac.backends import RoleBackend
from auth_rbac.events import RbacEvent
from auth_rbac.facts import all_roles_of
from auth_rbac.models import Assignment, Role
from auth_rbac.names import InvalidName, key_of
from auth_rbac.roles.assignments import assign_role, revoke_role
from auth_rbac.roles.roles import create_role, delete_role, set_permissions
from conftest import again, held_by, permission

pytestmark = pytest.mark.django_db


@pytest.fixture
def role() -> Role:
    """A role that may view users."""
    return create_role(name="Support", permissions=[permission("auth.view_user")])


def test_a_role_allows_and_its_revocation_ends_it(alice: User, role: Role, recorded_events: list[Any]) -> None:
    assert not again(alice).has_perm("auth.view_user")

    assignment = assign_role(user=alice, role=role, reason="first line")
    assert again(alice).has_perm("auth.view_user")
    assert again(alice).has_module_perms("auth")
    assert not again(alice).has_perm("auth.change_user")

    assert revoke_role(assignment=assignment)
    assert not revoke_role(assignment=assignment)
    assert not again(alice).has_perm("auth.view_user")
    names = [event.name for event in recorded_events]
    assert names == [RbacEvent.ASSIGNMENT_GRANTED, RbacEvent.ASSIGNMENT_REVOKED]


def test_a_change_of_a_role_counts_for_its_holders(alice: User, role: Role, recorded_events: list[Any]) -> None:
    assign_role(user=alice, role=role)

    set_permissions(role=role, permissions=[permission("auth.change_user")])

    assert again(alice).get_all_permissions() == {"auth.change_user"}
    changed = recorded_events[-1]
    assert changed.changes == {"permissions": {"before": ["auth.view_user"], "after": ["auth.change_user"]}}
    delete_role(role=role)
    assert again(alice).get_all_permissions() == set()


@pytest.mark.parametrize(("since", "until", "holds"), [(-1, 1, True), (1, 2, False), (-2, -1, False), (-1, None, True)])
def test_an_assignment_is_in_force_from_its_beginning_to_its_end(
    since: int, until: int | None, holds: bool, alice: User, role: Role
) -> None:
    now = timezone.now()
    assign_role(
        user=alice,
        role=role,
        valid_from=now + timedelta(hours=since),
        valid_until=None if until is None else now + timedelta(hours=until),
    )

    assert again(alice).has_perm("auth.view_user") is holds


def test_the_end_is_evaluated_on_read(alice: User, role: Role) -> None:
    assign_role(user=alice, role=role, valid_until=timezone.now() + timedelta(hours=1))

    with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1), tick=False):
        assert not again(alice).has_perm("auth.view_user")


def test_an_assignment_that_ends_before_it_begins_is_refused(alice: User, role: Role) -> None:
    with pytest.raises(InvalidRequest):
        assign_role(user=alice, role=role, valid_until=timezone.now() - timedelta(seconds=1))
    assert not Assignment.objects.exists()


def test_a_role_is_assigned_once(alice: User, role: Role) -> None:
    assign_role(user=alice, role=role)

    with pytest.raises(Conflict):
        assign_role(user=alice, role=role)


def test_inactive_and_anonymous_people_have_no_permissions(alice: User, role: Role) -> None:
    assign_role(user=alice, role=role)
    alice.is_active = False
    alice.save()

    assert not again(alice).has_perm("auth.view_user")
    assert RoleBackend().get_user_permissions(AnonymousUser()) == set()
    assert authenticate(username="alice", password="wrong") is None


def test_a_role_held_everywhere_covers_every_object(alice: User, role: Role) -> None:
    assign_role(user=alice, role=role)

    assert again(alice).has_perm("auth.view_user", alice)
    assert not again(alice).has_perm("auth.change_user", alice)


def test_one_request_takes_one_query(alice: User, role: Role) -> None:
    assign_role(user=alice, role=role)
    user = again(alice)

    with CaptureQueriesContext(connection) as queries:
        user.has_perm("auth.view_user")
        RoleBackend().has_perm(user, "auth.change_user")

    assert len(queries) == 1


@pytest.mark.postgresql
def test_the_statement_uses_an_index(alice: User) -> None:
    assert unindexed(lambda: RoleBackend().get_user_permissions(again(alice))) == []
    assert unindexed(lambda: facts.get("roles")(alice)) == []  # type: ignore[misc]  # it is registered


@pytest.mark.parametrize("name", ["SUPPORT", " support ", "\uff53upport"])
def test_another_spelling_is_the_same_role(name: str, role: Role) -> None:
    with pytest.raises(Conflict):
        create_role(name=name)


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "adm\u0456n", "ad\u200bmin", "ad\nmin", "admin\u202e"])
def test_a_confusable_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        key_of(name)
    with pytest.raises(InvalidRequest):
        create_role(name=name)


def test_facts_and_exports_contain_the_roles(alice: User, role: Role) -> None:
    assign_role(user=alice, role=role)

    assert facts.get("roles")(alice) == ["support"]  # type: ignore[misc]  # it is registered
    assert exports.get("auth_rbac")(alice)[0]["role"] == "Support"  # type: ignore[misc]  # it is registered


def test_the_fact_counts_no_role_of_a_group(alice: User, role: Role) -> None:
    group = Group.objects.create(name="team")
    alice.groups.add(group)
    assign_role(group=group, role=role)

    assert facts.get("roles")(alice) == []  # type: ignore[misc]  # it is registered
    assert all_roles_of(alice) == ["support"]


def test_a_backend_that_is_not_first_causes_a_warning(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = settings.AUTHENTICATION_BACKENDS[::-1]

    assert "auth_rbac.W001" in {message.id for message in run_checks()}


@pytest.fixture
def manager(alice: User) -> Browser:
    """The browser of a person who may manage assignments."""
    names = ["view_role", "view_assignment", "add_assignment", "delete_assignment"]
    own = [permission(f"auth_rbac.{name}") for name in names]
    managers = create_role(name="Managers", permissions=[*own, permission("auth.view_user")])
    assign_role(user=alice, role=managers)
    browser = Browser()
    browser.force_login(alice, backend="auth_core.backends.IdentifierBackend")
    return browser


@pytest.mark.asvs("8.3.1")
def test_a_manager_grants_and_revokes_over_the_api(manager: Browser, alice: User, role: Role) -> None:
    bob = User.objects.create_user("bob")

    granted = post(manager, "assignments", holder=held_by(bob), role=str(role.pk), reason="on call")
    listed = manager.get(f"/api/v1/assignments/?holder_kind=person&holder={identity_of(bob).subject_id}").json()[
        "results"
    ]

    assert (granted.status_code, listed) == (201, [granted.json()])
    assert granted.json()["granted_by"] == str(identity_of(alice).subject_id)
    assert again(bob).has_perm("auth.view_user")
    assert manager.delete(granted.headers["Location"]).status_code == 204
    assert manager.delete(granted.headers["Location"]).status_code == 404
    assert not again(bob).has_perm("auth.view_user")
    shown = {role["name"]: role["permissions"] for role in manager.get("/api/v1/roles/").json()["results"]}
    assert shown["Support"] == ["auth.view_user"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_api_requires_permissions(method: str, role: Role) -> None:
    staff = User.objects.create_user("staff", is_staff=True)
    browser = Browser()
    assert getattr(browser, method)("/api/v1/assignments/").status_code in (401, 403)
    browser.force_login(staff, backend="auth_core.backends.IdentifierBackend")

    assert getattr(browser, method)("/api/v1/assignments/").status_code == 403
    assert browser.get("/api/v1/roles/").status_code == 403


@pytest.mark.parametrize(
    ("change", "status"),
    [({"holder": {"kind": "person", "id": str(uuid4())}}, 400), ({"role": str(uuid4())}, 404), ({"holder": "1"}, 400),
     ({"holder": {"kind": "robot", "id": str(uuid4())}}, 400), ({"holder": {"kind": "person", "id": "1"}}, 400),
     ({"holder": {"kind": "person", "id": str(uuid4()), "as": "root"}}, 400), ({"holder": None}, 400), ({"user": str(uuid4())}, 400), ({"scope": "all"}, 400),
     ({"everywhere": True}, 400),
     ({"valid_until": "2001-01-01T00:00:00Z"}, 400), ({"reason": "r" * 301}, 400)],
)  # fmt: skip
def test_invalid_input_assigns_nothing(change: dict[str, Any], status: int, manager: Browser, role: Role) -> None:
    bob = User.objects.create_user("bob")
    body = {"holder": held_by(bob), "role": str(role.pk), **change}

    refused = post(manager, "assignments", **body)

    assert refused.status_code == status
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert not Assignment.objects.filter(user=bob).exists()


def test_the_admin_records_what_it_changes(recorded_events: list[Any], alice: User) -> None:
    root = User.objects.create_superuser("root")
    browser = Browser()
    browser.force_login(root, backend="auth_core.backends.IdentifierBackend")
    view_user = permission("auth.view_user")

    browser.post("/admin/auth_rbac/role/add/", {"name": "Support", "description": "", "permissions": [view_user.pk]})
    role = Role.objects.get()
    moment = {"valid_from_0": "2026-01-01", "valid_from_1": "00:00:00", "valid_until_0": "", "valid_until_1": ""}
    grant = {"user": alice.pk, "role": str(role.pk), "reason": "", **moment}
    assert browser.post("/admin/auth_rbac/assignment/add/", grant).status_code == 302
    assert again(alice).has_perm("auth.view_user")
    again_added = browser.post("/admin/auth_rbac/role/add/", {"name": "SUPPORT", "description": "", "permissions": []})
    browser.post(f"/admin/auth_rbac/role/{role.pk}/change/", {"description": "x", "permissions": []})
    assert not again(alice).has_perm("auth.view_user")
    browser.post(f"/admin/auth_rbac/assignment/{Assignment.objects.get().pk}/delete/", {"post": "yes"})

    assert "A role with this name already exists." in again_added.content.decode()
    ours = [event.name for event in recorded_events if isinstance(event.name, RbacEvent)]
    assert ours == [
        RbacEvent.ROLE_CREATED,
        RbacEvent.ASSIGNMENT_GRANTED,
        RbacEvent.ROLE_CHANGED,
        RbacEvent.ASSIGNMENT_REVOKED,
    ]
