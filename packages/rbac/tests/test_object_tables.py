"""Permissions for single objects: UUID keys, tables of a single model, people and groups."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.checks import run_checks
from guardian.shortcuts import assign_perm

from auth_rbac.decisions.decision import DecisionReason
from auth_rbac.decisions.decisions import check, check_many
from auth_rbac.decisions.subjects import subjects
from auth_rbac.explanations.explanations import explain
from auth_rbac.models import Assignment
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role
from conftest import again, make_role, permission
from shop.models import Order, Paper, Plan, PlanUserPermission


@pytest.mark.parametrize("model", [Paper, Plan])
@pytest.mark.parametrize("by_group", [False, True])
def test_every_function_sees_a_permission_for_one_object(model: Any, by_group: bool, alice: User, bob: User) -> None:
    mine, other = model.objects.create(), model.objects.create()
    group = Group.objects.create(name="readers")
    alice.groups.add(group)
    name = f"shop.view_{model._meta.model_name}"
    assign_perm(name, group if by_group else alice, mine)
    warm = again(alice)
    check(warm, name)

    for user in (again(alice), warm):
        assert [one.reason for one in check_many(user, name, [mine, other])] == [
            DecisionReason.OBJECT,
            DecisionReason.NOTHING,
        ]
        assert check(user, name, mine)
        assert list(model.objects.permitted(user, "view")) == [mine]
    assert list(model.objects.permitted(again(bob), "view")) == []
    assert set(subjects(name, mine)) == {alice}
    assert set(subjects(name, other)) == set()
    (path,) = explain(again(alice), name, mine).paths
    assert (path.source, path.group) == ("object", "readers" if by_group else "")


@pytest.mark.parametrize("model", [Paper, Plan])
def test_a_scope_and_a_denial_work_on_every_kind_of_key(model: Any, alice: User) -> None:
    first, second, third = (model.objects.create() for _n in range(3))
    role = make_role("reader", f"shop.view_{model._meta.model_name}")
    for obj in (first, second):
        assign_role(user=alice, role=role, scope=obj)
    assign_role(user=alice, role=create_role(name="no", denied_wildcards=["shop.*"]), scope=second)
    warm = again(alice)
    check(warm, "shop.view_order")

    for user in (again(alice), warm):
        assert [bool(one) for one in check_many(user, "view", [first, second, third])] == [True, False, False]
        assert list(model.objects.permitted(user, "view")) == [first]
    assert set(subjects("view", second)) == set()


def test_a_revocation_in_a_models_own_table_counts_on_the_next_request(alice: User) -> None:
    plan = Plan.objects.create()
    assign_perm("shop.view_plan", alice, plan)
    assert check(again(alice), "view", plan)

    PlanUserPermission.objects.all().delete()

    assert not check(again(alice), "view", plan)


def test_anonymous_and_disabled_people_have_no_permissions(alice: User) -> None:
    order = Order.objects.create()
    assign_role(user=alice, role=make_role("reader", "shop.view_order"))
    User.objects.filter(pk=alice.pk).update(is_active=False)

    for user, reason in ((AnonymousUser(), DecisionReason.ANONYMOUS), (again(alice), DecisionReason.INACTIVE)):
        assert check(user, "view", order).reason is reason
        assert check_many(user, "view", [order])[0].reason is reason
        assert not Order.objects.permitted(user, "view").exists()
    assert not subjects("view", order).exists()


def test_unsaved_objects_and_mixed_models_are_refused(alice: User) -> None:
    with pytest.raises(ValueError, match="unsaved"):
        check(alice, "view", Order())
    with pytest.raises(TypeError):
        check_many(alice, "view", [Order.objects.create(), Paper.objects.create()])
    with pytest.raises(ValueError, match="full permission name"):
        explain(alice, "view")
    assert not alice.has_perm("shop.view_order", Order())
    assert not alice.has_perm("view")
    assert not alice.has_perm("shop.view_order", "no object")
    with pytest.raises(ValueError, match="saved"):
        assign_role(user=alice, role=make_role("reader", "shop.view_order"), scope=Order())
    assert not Assignment.objects.exists()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"AUTH_RBAC": {"SURPRISE": 1}}, "auth_rbac.E001"),
        ({"AUTH_RBAC": {"PERMISSIONS": {"shop.export": "x"}}}, "auth_rbac.E002"),
        ({"AUTH_RBAC": {"PERMISSIONS": {"shop.nothing.export": "x"}}}, "auth_rbac.E002"),
        ({"AUTH_RBAC": {"SCOPES": {"shop.order": ["nothing"]}}}, "auth_rbac.E003"),
        ({"AUTH_RBAC": {"SCOPES": {"shop.company": ["name"]}}}, "auth_rbac.E003"),
        ({"AUTH_RBAC": {"SCOPES": {"shop.nothing": []}}}, "auth_rbac.E003"),
        ({"AUTH_RBAC": {"SCOPES": {"shop.order": ["branch__company"]}}}, None),
        ({"GUARDIAN_MONKEY_PATCH_USER": True}, "auth_rbac.W002"),
        ({"ANONYMOUS_USER_NAME": "AnonymousUser"}, "auth_rbac.W002"),
    ],
)
@pytest.mark.django_db
def test_an_invalid_setting_fails_a_check(change: dict[str, Any], expected: str | None, settings: Any) -> None:
    for name, value in change.items():
        setattr(settings, name, value)

    ids = {message.id for message in run_checks() if str(message.id).startswith("auth_rbac")}

    assert ids == ({expected} if expected else set())


def test_djangos_own_permission_has_its_own_reason(alice: User) -> None:
    alice.user_permissions.add(permission("shop.view_order"))

    assert check(again(alice), "shop.view_order").reason is DecisionReason.ALONE
    assert [path.source for path in explain(again(alice), "shop.view_order").paths] == ["alone"]
    assert not check(again(alice), "shop.view_order", Order.objects.create()), (
        "as in Django, it says nothing of objects"
    )
