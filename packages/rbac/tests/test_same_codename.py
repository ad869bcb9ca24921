"""Two models have a permission with the same codename, and objects with the same key. They are kept apart."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from guardian.shortcuts import assign_perm

from auth_rbac.decisions import decision_cache, role_cache
from auth_rbac.decisions.decisions import check, check_many
from auth_rbac.decisions.querysets import permitted, permitted_keys
from auth_rbac.decisions.subjects import subjects
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role
from conftest import again, permission
from shop.models import Company, Order

NAME = "shop.export"


@pytest.fixture
def company(db: None) -> Company:
    """A company, which can be exported like an order."""
    Permission.objects.create(
        codename="export", name="Can export companies", content_type=ContentType.objects.get_for_model(Company)
    )
    return Company.objects.create(pk=7, name="acme")


@pytest.fixture
def order(db: None) -> Order:
    """An order with the key of the company, which does not lie in it."""
    return Order.objects.create(pk=7)


def answers(alice: User, obj: Any, *, is_warm: bool, is_known: bool) -> list[bool]:
    """Return whether *alice* may export *obj*, by every function.

    Args:
        is_warm: Whether her permissions everywhere are cached.
        is_known: Whether the roles of the permission are cached.
    """
    decision_cache.forget_all()
    role_cache.forget_all()
    model = type(obj)
    if is_known:
        check(again(alice), NAME, obj)
        decision_cache.forget_all()

    def new_instance() -> Any:
        user = again(alice)
        if is_warm:
            check(user, "shop.view_order")
        return user

    return [
        bool(check(new_instance(), NAME, obj)),
        bool(check_many(new_instance(), NAME, [obj])[0]),
        obj in permitted(new_instance(), NAME, model),
        obj in permitted(new_instance(), NAME, model.objects.filter(pk__gt=0)),
        permitted_keys(new_instance(), NAME, model) == [obj.pk],
        alice in subjects(NAME, obj),
    ]


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("is_warm", [False, True])
@pytest.mark.parametrize("by_group", [False, True])
def test_an_object_permission_does_not_cover_another_model(
    by_group: bool, is_warm: bool, is_known: bool, alice: User, company: Company, order: Order
) -> None:
    group = Group.objects.create(name="exporters")
    alice.groups.add(group)
    own = Permission.objects.get(codename="export", content_type=ContentType.objects.get_for_model(Company))
    assign_perm(own, group if by_group else alice, company)

    assert answers(alice, company, is_warm=is_warm, is_known=is_known) == [True] * 6
    assert answers(alice, order, is_warm=is_warm, is_known=is_known) == [False] * 6


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("is_warm", [False, True])
@pytest.mark.parametrize("many", [0, 60])
def test_a_scope_does_not_cover_an_object_of_another_model(
    many: int, is_warm: bool, is_known: bool, alice: User, company: Company, order: Order
) -> None:
    role = create_role(name="exporter", permissions=Permission.objects.filter(codename="export"))
    assign_role(user=alice, role=role, scope=company)
    idle = create_role(name="idle", permissions=[permission("shop.view_paper")])
    for other in Order.objects.bulk_create(Order() for _n in range(many)):
        assign_role(user=alice, role=idle, scope=other)

    assert answers(alice, company, is_warm=is_warm, is_known=is_known) == [True] * 6
    assert answers(alice, order, is_warm=is_warm, is_known=is_known) == [False] * 6


def test_a_denial_in_a_scope_does_not_cover_another_model(alice: User, company: Company, order: Order) -> None:
    exports = Permission.objects.filter(codename="export")
    assign_role(user=alice, role=create_role(name="exporter", permissions=exports))
    assign_role(user=alice, role=create_role(name="no", denials=exports), scope=company)

    for is_warm in (False, True):
        assert answers(alice, company, is_warm=is_warm, is_known=False) == [False] * 6
        assert answers(alice, order, is_warm=is_warm, is_known=False) == [True] * 6
