"""No actor grants more than they hold, and a site always keeps an administrator."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from guardian.models import UserObjectPermission

from auth_core.errors import PermissionRefused
from auth_core.people.locking import disable_account
from auth_core.testing.parallel import ROUNDS, one_winner
from auth_rbac.database import administrator_trigger
from auth_rbac.decisions.decisions import check
from auth_rbac.errors import LastAdministrator
from auth_rbac.models import Assignment, Role
from auth_rbac.objects.grants import permit, withdraw
from auth_rbac.roles import last_administrator
from auth_rbac.roles.assignments import assign_role, revoke_role
from auth_rbac.roles.roles import change_role, create_role, delete_role, set_permissions
from conftest import again, make_role, permission
from shop.models import Company, Order

Manager = Callable[..., User]


def test_a_manager_assigns_no_more_than_they_hold(manager_of: Manager, alice: User) -> None:
    carol = manager_of("carol", "shop.view_order")
    reader = make_role("reader", "shop.view_order")
    writer = make_role("writer", "shop.view_order", "shop.change_order")

    assign_role(user=alice, role=reader, granted_by=carol)
    for role in (writer, create_role(name="wild", wildcards=["shop.*"]), create_role(name="above", parents=[writer])):
        with pytest.raises(PermissionRefused):
            assign_role(user=alice, role=role, granted_by=carol)
        with pytest.raises(PermissionRefused):
            assign_role(user=carol, role=role, granted_by=carol)

    assert again(alice).has_perm("shop.view_order")
    assert not again(alice).has_perm("shop.change_order")


def test_a_wildcard_is_not_given_on_the_strength_of_existing_permissions(manager_of: Manager, alice: User) -> None:
    every = [f"shop.{verb}_paper" for verb in ("view", "add", "change", "delete")]
    carol = manager_of("carol", *every)
    wild = create_role(name="papers", wildcards=["shop.paper.*"])

    with pytest.raises(PermissionRefused):
        assign_role(user=alice, role=wild, granted_by=carol)
    assign_role(user=carol, role=create_role(name="all papers", wildcards=["shop.paper.*"]))
    assign_role(user=alice, role=wild, granted_by=again(carol))


def test_a_role_cannot_be_given_longer_than_it_is_held(manager_of: Manager, alice: User) -> None:
    carol, role, end = manager_of("carol"), make_role("reader", "shop.view_order"), timezone.now() + timedelta(hours=1)
    assign_role(user=carol, role=make_role("for an hour", "shop.view_order"), valid_until=end)

    for until in (None, end + timedelta(seconds=1)):
        with pytest.raises(PermissionRefused):
            assign_role(user=alice, role=role, granted_by=carol, valid_until=until)
    assign_role(user=alice, role=role, granted_by=carol, valid_until=end)


def test_a_manager_of_one_company_manages_nothing_elsewhere(manager_of: Manager, alice: User) -> None:
    here, there = Company.objects.create(name="here"), Company.objects.create(name="there")
    carol, role = manager_of("carol", "shop.view_order", scope=here), make_role("reader", "shop.view_order")

    mine = assign_role(user=alice, role=role, scope=here, granted_by=carol)
    for scope in (there, None):
        with pytest.raises(PermissionRefused):
            assign_role(user=alice, role=role, scope=scope, granted_by=carol)
    theirs = assign_role(user=alice, role=role, scope=there)
    with pytest.raises(PermissionRefused):
        revoke_role(assignment=theirs, revoked_by=carol)
    assert revoke_role(assignment=mine, revoked_by=carol)


def test_a_role_with_more_content_than_held_cannot_be_changed(manager_of: Manager, alice: User) -> None:
    carol, above = manager_of("carol", "shop.view_order"), make_role("above", "shop.view_order", "shop.change_order")
    assignment = assign_role(user=alice, role=above)

    for forbidden in (
        lambda: set_permissions(role=above, permissions=[], actor=carol),
        lambda: set_permissions(role=above, permissions=[permission("shop.view_order")], actor=carol),
        lambda: delete_role(role=above, actor=carol),
        lambda: revoke_role(assignment=assignment, revoked_by=carol),
        lambda: create_role(name="mine", permissions=[permission("shop.change_order")], actor=carol),
        lambda: create_role(name="mine", parents=[above], actor=carol),
        lambda: create_role(name="mine", wildcards=["shop.*"], actor=carol),
    ):
        with pytest.raises(PermissionRefused):
            forbidden()
    assert not Role.objects.filter(name="mine").exists()
    mine = create_role(name="mine", permissions=[permission("shop.view_order")], actor=carol)
    with pytest.raises(PermissionRefused):
        change_role(role=mine, permissions=[permission("shop.change_order")], actor=carol)
    assert list(mine.permissions.all()) == [permission("shop.view_order")]


def test_a_denial_needs_the_permission_to_be_added_and_lifted(manager_of: Manager, alice: User) -> None:
    carol, no = manager_of("carol"), create_role(name="no orders", denials=[permission("shop.view_order")])
    with pytest.raises(PermissionRefused):
        assign_role(user=alice, role=no, granted_by=carol)

    mine = assign_role(user=carol, role=no)

    with pytest.raises(PermissionRefused):
        revoke_role(assignment=mine, revoked_by=again(carol))


def test_an_object_permission_is_given_by_its_holder(
    manager_of: Manager, alice: User, recorded_events: list[Any]
) -> None:
    order, carol = Order.objects.create(), manager_of("carol", "shop.view_order")

    permit(holder=alice, permission="view", obj=order, actor=carol)
    with pytest.raises(PermissionRefused):
        permit(holder=alice, permission="change", obj=order, actor=carol)

    assert check(again(alice), "view", order)
    assert recorded_events[-1].name == "rbac.object.permitted"
    withdraw(holder=alice, permission="view", obj=order, actor=carol)
    assert not check(again(alice), "view", order)
    assert not UserObjectPermission.objects.exists()


def test_the_last_superuser_cannot_be_removed(alice: User) -> None:
    root = User.objects.create_superuser("root")

    for remove in (
        lambda: disable_account(user=again(root)),
        lambda: again(root).delete(),
        lambda: User.objects.filter(pk=root.pk).delete(),
        lambda: _demote(again(root)),
        lambda: _demote(again(root), update_fields=["is_superuser"]),
    ):
        with pytest.raises(LastAdministrator), transaction.atomic():
            remove()
    assert again(root).is_active
    assert again(root).is_superuser
    User.objects.create_superuser("another")
    assert disable_account(user=again(root))


def _demote(user: User, **options: Any) -> None:
    user.is_superuser = False
    user.save(**options)


def test_without_superusers_the_last_role_manager_cannot_be_removed(manager_of: Manager) -> None:
    carol = manager_of("carol")
    assignment = Assignment.objects.get(user=carol)

    for remove in (
        lambda: revoke_role(assignment=assignment),
        lambda: delete_role(role=Role.objects.get()),
        lambda: set_permissions(role=Role.objects.get(), permissions=[]),
        lambda: change_role(role=Role.objects.get(), denied_wildcards=["auth_rbac.*"]),
        lambda: disable_account(user=again(carol)),
    ):
        with pytest.raises(LastAdministrator), transaction.atomic():
            remove()
    assert again(carol).has_perm("auth_rbac.add_assignment")
    User.objects.create_superuser("root")
    assert revoke_role(assignment=assignment)


def remove_each_other(number: int) -> list[Any]:
    """Return the concurrent acts of two administrators: each revokes the other's role."""
    Assignment.objects.all().delete()
    own = [f"auth_rbac.{verb}_assignment" for verb in ("view", "add", "delete")]
    role = make_role(f"administrators {number}", *own)
    people = [User.objects.create_user(f"person {number} {name}") for name in "ab"]
    assignments = [assign_role(user=person, role=role) for person in people]
    return [
        lambda: revoke_role(assignment=assignments[1], revoked_by=people[0]),
        lambda: revoke_role(assignment=assignments[0], revoked_by=people[1]),
    ]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rounds", [4, pytest.param(ROUNDS, marks=pytest.mark.races)])
def test_two_administrators_who_revoke_each_other_leave_one(rounds: int) -> None:
    one_winner(remove_each_other, refusal={"last_administrator", "permission_denied"}, rounds=rounds)

    assert Assignment.objects.count() == 1


def disable_each_other(number: int) -> list[Any]:
    """Return the concurrent acts of two superusers."""
    people = [User.objects.create_superuser(f"root {number} {name}") for name in "ab"]
    User.objects.exclude(pk__in=[person.pk for person in people]).update(is_superuser=False)
    return [
        lambda: disable_account(user=people[1], actor=people[0]),
        lambda: disable_account(user=people[0], actor=people[1]),
    ]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rounds", [4, pytest.param(ROUNDS, marks=pytest.mark.races)])
def test_two_superusers_who_disable_each_other_leave_one(rounds: int) -> None:
    one_winner(disable_each_other, refusal={"last_administrator", "permission_denied"}, rounds=rounds)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_both_are_disabled_and_the_test_detects_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_administrator, "lock_graph", lambda: None)
    administrator_trigger.lift()

    try:
        with pytest.raises(AssertionError, match="2 won"):
            one_winner(disable_each_other, refusal={"last_administrator", "permission_denied"}, rounds=60)
    finally:
        administrator_trigger.lay()
