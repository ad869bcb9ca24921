"""A person can give only what they hold by roles, in the whole scope and for the whole time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from guardian.shortcuts import assign_perm

from auth_core.errors import NotFound, PermissionRefused
from auth_rbac.models import Role
from auth_rbac.objects.grants import permit
from auth_rbac.roles.assignments import assign_role, revoke_role
from auth_rbac.roles.roles import change_role, create_role, delete_role
from auth_rbac.scopes import may_overlap
from conftest import again, make_role, permission
from shop.models import Branch, Company, Order

pytestmark = pytest.mark.django_db

Manager = Callable[..., User]


@pytest.fixture
def reader(db: None) -> Role:
    """A role that may view orders."""
    return make_role("reader", "shop.view_order")


@pytest.fixture
def frozen(db: None) -> Role:
    """A role that denies viewing orders."""
    return create_role(name="frozen", denials=[permission("shop.view_order")])


def hours(count: int) -> Any:
    return timezone.now() + timedelta(hours=count)


def test_a_gap_in_what_is_held_prevents_a_permanent_grant(manager_of: Manager, alice: User, reader: Role) -> None:
    carol, end = manager_of("carol"), hours(1)
    assign_role(user=carol, role=make_role("first", "shop.view_order"), valid_until=end)
    assign_role(user=carol, role=make_role("then", "shop.view_order"), valid_from=hours(2))

    for until in (None, hours(3)):
        with pytest.raises(PermissionRefused):
            assign_role(user=alice, role=reader, granted_by=carol, valid_until=until)
    with pytest.raises(PermissionRefused):
        permit(holder=alice, permission="view", obj=Order.objects.create(), actor=carol)
    assert assign_role(user=alice, role=reader, granted_by=carol, valid_until=end)


def test_a_denial_for_a_part_of_the_scope_counts(manager_of: Manager, alice: User, reader: Role, frozen: Role) -> None:
    carol, company = manager_of("carol", "shop.view_order"), Company.objects.create()
    branch = Branch.objects.create(company=company)
    assign_role(user=carol, role=frozen, scope=branch)

    for scope in (None, company, branch, Order.objects.create(branch=branch)):
        with pytest.raises(PermissionRefused):
            assign_role(user=alice, role=reader, scope=scope, granted_by=carol)
    elsewhere = Branch.objects.create(company=company)
    assert assign_role(user=alice, role=reader, scope=elsewhere, granted_by=carol)
    assert assign_role(user=alice, role=reader, scope=Company.objects.create(), granted_by=carol)


def test_a_denial_that_begins_before_the_end_counts(
    manager_of: Manager, alice: User, reader: Role, frozen: Role
) -> None:
    carol, begin = manager_of("carol", "shop.view_order"), hours(1)
    assign_role(user=carol, role=frozen, valid_from=begin, valid_until=hours(2))

    with pytest.raises(PermissionRefused):
        assign_role(user=alice, role=reader, granted_by=carol)
    assert assign_role(user=alice, role=reader, granted_by=carol, valid_until=begin)


def test_a_permission_that_reaches_no_objects_gives_no_role_that_reaches_all(
    manager_of: Manager, alice: User, reader: Role
) -> None:
    carol, order = manager_of("carol"), Order.objects.create()
    carol.user_permissions.add(permission("shop.view_order"))
    assign_perm("shop.view_order", carol, order)

    for scope in (None, order):
        with pytest.raises(PermissionRefused):
            assign_role(user=alice, role=reader, scope=scope, granted_by=again(carol))
    assert permit(holder=alice, permission="view", obj=order, actor=carol)


@pytest.mark.parametrize("denied", ["shop.*", "shop.order.*"])
def test_a_denying_wildcard_gives_no_authority(denied: str, manager_of: Manager, alice: User) -> None:
    carol, no = manager_of("carol"), create_role(name="no", denied_wildcards=[denied])
    assign_role(user=carol, role=no)

    with pytest.raises(PermissionRefused):
        assign_role(user=alice, role=create_role(name="all", wildcards=["shop.*"]), granted_by=carol)
    with pytest.raises(PermissionRefused):
        assign_role(user=alice, role=create_role(name="orders", wildcards=["shop.order.*"]), granted_by=carol)


def test_a_denying_wildcard_counts_before_its_permissions_exist(manager_of: Manager, alice: User) -> None:
    carol, kind = manager_of("carol"), ContentType.objects.get_for_model(Order)
    kind.permission_set.all().delete()
    assign_role(user=carol, role=create_role(name="all", wildcards=["shop.*"]))
    wide = create_role(name="wide", wildcards=["shop.*"])
    assert assign_role(user=alice, role=wide, granted_by=carol)
    assign_role(user=carol, role=create_role(name="no orders", denied_wildcards=["shop.order.*"]))

    with pytest.raises(PermissionRefused):
        assign_role(user=User.objects.create_user("dan"), role=wide, granted_by=carol)


def test_an_actor_who_lost_a_role_while_waiting_is_refused(manager_of: Manager, alice: User, reader: Role) -> None:
    carol = manager_of("carol", "shop.view_order")
    assert carol.has_perm("shop.view_order")
    carol.role_assignments.all().delete()

    with pytest.raises(PermissionRefused):
        assign_role(user=alice, role=reader, granted_by=carol)


def test_an_actor_who_was_disabled_while_waiting_is_refused(manager_of: Manager, alice: User, reader: Role) -> None:
    carol = manager_of("carol", "shop.view_order")
    User.objects.filter(pk=carol.pk).update(is_active=False)
    root = User.objects.create_superuser("root")
    User.objects.create_superuser("another")
    User.objects.filter(pk=root.pk).update(is_superuser=False)

    for actor in (carol, root):
        with pytest.raises(PermissionRefused):
            assign_role(user=alice, role=reader, granted_by=actor)


def test_lifting_a_denial_needs_the_permission_for_the_rest_of_its_time(
    manager_of: Manager, alice: User, frozen: Role
) -> None:
    carol, end = manager_of("carol"), hours(1)
    assign_role(user=carol, role=make_role("for an hour", "shop.view_order"), valid_until=end)
    for_good, for_half = assign_role(user=alice, role=frozen), assign_role(
        user=User.objects.create_user("dan"), role=frozen, valid_until=end
    )  # fmt: skip

    with pytest.raises(PermissionRefused):
        revoke_role(assignment=for_good, revoked_by=carol)
    assert revoke_role(assignment=for_half, revoked_by=carol)


def test_removing_a_denying_parent_needs_what_it_denies(manager_of: Manager, frozen: Role) -> None:
    carol, child = manager_of("carol"), create_role(name="child", parents=[frozen])

    for forbidden in (
        lambda: change_role(role=child, parents=[], actor=carol),
        lambda: change_role(role=frozen, denials=[], actor=carol),
        lambda: delete_role(role=frozen, actor=carol),
        lambda: delete_role(role=child, actor=carol),
    ):
        with pytest.raises(PermissionRefused):
            forbidden()


def test_an_iterator_of_permissions_is_checked_and_written(manager_of: Manager) -> None:
    carol = manager_of("carol", "shop.view_order")

    mine = create_role(name="mine", permissions=(permission(name) for name in ["shop.view_order"]), actor=carol)

    assert list(mine.permissions.all()) == [permission("shop.view_order")]
    with pytest.raises(PermissionRefused):
        change_role(role=mine, permissions=(permission(name) for name in ["shop.change_order"]), actor=carol)


def test_a_deleted_role_cannot_be_changed_or_deleted(manager_of: Manager, recorded_events: list[Any]) -> None:
    carol, gone = manager_of("carol"), create_role(name="gone")
    Role.objects.filter(pk=gone.pk).delete()
    recorded_events.clear()

    for late in (
        lambda: change_role(role=gone, description="x", actor=carol),
        lambda: delete_role(role=gone, actor=carol),
        lambda: create_role(name="child", parents=[gone], actor=carol),
    ):
        with pytest.raises(NotFound):
            late()
    assert recorded_events == []


def test_two_scopes_overlap_if_an_object_can_lie_in_both() -> None:
    company, other = Company.objects.create(), Company.objects.create()
    branch, order = Branch.objects.create(company=company), Order.objects.create()

    def place(obj: Any) -> tuple[int, str]:
        return ContentType.objects.get_for_model(obj).pk, str(obj.pk)

    assert may_overlap(place(branch), None)
    assert may_overlap(place(branch), branch)
    assert may_overlap(place(branch), company)
    assert may_overlap(place(company), branch)
    assert not may_overlap(place(branch), other)
    assert not may_overlap(place(other), branch)
    assert not may_overlap(place(company), other)
    assert not may_overlap(place(order), branch)
