"""Each check of authority alone: a change makes several, and one may hide the failure of another."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from auth_core.errors import PermissionRefused
from auth_rbac.models import Role
from auth_rbac.roles import delegation
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role
from conftest import make_role, permission
from shop.models import Branch, Company

pytestmark = pytest.mark.django_db

Manager = Callable[..., User]


@pytest.fixture
def reader(db: None) -> Role:
    """A role that may view orders."""
    return make_role("reader", "shop.view_order")


def test_the_permission_of_an_actor_is_read_from_the_database(manager_of: Manager) -> None:
    carol = manager_of("carol")
    assert carol.has_perm("auth_rbac.add_assignment")
    User.objects.filter(pk=carol.pk).update(is_active=False)

    with pytest.raises(PermissionRefused):
        delegation.require(carol, "auth_rbac.add_assignment")


@pytest.mark.parametrize("change", [{"is_superuser": False}, {"is_active": False}], ids=["demoted", "disabled"])
def test_the_state_of_an_actor_is_read_from_the_database(change: dict[str, bool], reader: Role) -> None:
    root, _other = User.objects.create_superuser("root"), User.objects.create_superuser("another")
    User.objects.filter(pk=root.pk).update(**change)

    with pytest.raises(PermissionRefused):
        delegation.require_all_of_roles(root, [reader])


def test_a_role_for_a_part_of_the_scope_gives_no_authority_for_the_whole(manager_of: Manager, reader: Role) -> None:
    company = Company.objects.create()
    branch, carol = Branch.objects.create(company=company), manager_of("carol")
    # The role also denies: its denials count outside the branch, and its permissions do not.
    denies = [permission("shop.delete_order")]
    of_branch = create_role(name="of the branch", permissions=[permission("shop.view_order")], denials=denies)
    assign_role(user=carol, role=of_branch, scope=branch)

    delegation.require_all_of_roles(carol, [reader], branch)
    with pytest.raises(PermissionRefused):
        delegation.require_all_of_roles(carol, [reader], company)
