"""The rights for an object end with it, and never pass to the next object with its key."""

import threading
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, transaction
from guardian.models import GroupObjectPermission, UserObjectPermission
from guardian.shortcuts import assign_perm

from auth_core.errors import InvalidRequest
from auth_core.testing.parallel import at_once
from auth_rbac import checks
from auth_rbac.database import object_triggers, orphans
from auth_rbac.decisions.decisions import check
from auth_rbac.models import Assignment
from auth_rbac.objects.grants import permit
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role
from conftest import again, make_role
from shop.models import Branch, Company, Order, Paper


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def by_hand(obj: Any) -> None:
    key = obj.pk if isinstance(obj.pk, int) or connection.vendor == "postgresql" else obj.pk.hex
    run(f"DELETE FROM {obj._meta.db_table} WHERE id = '{key}'")


#: Every way to delete an object or to change its key.
WAYS: dict[str, Callable[[Any], Any]] = {
    "delete": lambda obj: obj.delete(),
    "queryset": lambda obj: type(obj).objects.filter(pk=obj.pk).delete(),
    "raw delete": lambda obj: type(obj)._base_manager.filter(pk=obj.pk)._raw_delete("default"),
    "SQL": by_hand,
    "SQL for all": lambda obj: run(f"DELETE FROM {obj._meta.db_table}"),
}


@pytest.mark.parametrize("is_warm", [False, True])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("model", [Order, Paper])
@pytest.mark.django_db
def test_a_new_object_with_the_key_of_a_deleted_one_has_none_of_its_rights(
    model: Any, way: str, is_warm: bool, alice: User
) -> None:
    group = Group.objects.create(name="readers")
    alice.groups.add(group)
    obj = model.objects.create()
    kind = model._meta.model_name
    assign_perm(f"shop.view_{kind}", alice, obj)
    assign_perm(f"shop.change_{kind}", group, obj)
    assign_role(user=alice, role=make_role("deleter", f"shop.delete_{kind}"), scope=obj)
    key, verbs = obj.pk, ("view", "change", "delete")
    if is_warm:
        assert all(check(again(alice), verb, obj) for verb in verbs)

    WAYS[way](obj)
    new = model.objects.create(pk=key)

    user = again(alice)
    check(user, "shop.view_company")
    assert [bool(check(user, verb, new)) for verb in verbs] == [False] * 3
    assert list(model.objects.filter(pk=key).order_by("pk")) == [new]
    assert [rights.model.objects.count() for rights in orphans.all_rights()] == [0, 0, 0]


@pytest.mark.django_db
def test_a_role_in_the_scope_of_a_deleted_object_does_not_cover_the_next_one(alice: User) -> None:
    company = Company.objects.create(pk=7, name="old")
    assign_role(user=alice, role=make_role("reader", "shop.view_order"), scope=company)
    Company.objects.filter(pk=7).delete()

    order = Order.objects.create(branch=Branch.objects.create(company=Company.objects.create(pk=7, name="new")))

    assert not check(again(alice), "view", order)
    assert list(Order.objects.permitted(again(alice), "view")) == []


@pytest.mark.django_db
def test_the_rights_of_a_cascaded_object_end(alice: User) -> None:
    company = Company.objects.create(name="x")
    branch = Branch.objects.create(company=company)
    order = Order.objects.create(branch=branch)
    for obj in (company, branch, order):
        permit(holder=alice, permission="view", obj=obj)

    company.delete()

    assert not UserObjectPermission.objects.exists()


@pytest.mark.django_db
def test_changing_a_key_ends_the_rights_and_changing_other_columns_does_not(alice: User) -> None:
    order, same = Order.objects.create(), Order.objects.create()
    for obj in (order, same):
        permit(holder=alice, permission="view", obj=obj)

    Order.objects.filter(pk=same.pk).update(branch=None)
    run(f"UPDATE shop_order SET id = id + 1000 WHERE id = {order.pk}")

    assert list(UserObjectPermission.objects.values_list("object_pk", flat=True)) == [str(same.pk)]


@pytest.mark.postgresql
@pytest.mark.django_db
def test_truncate_ends_the_rights(alice: User) -> None:
    order, company = Order.objects.create(), Company.objects.create(name="x")
    for obj in (order, company):
        permit(holder=alice, permission="view", obj=obj)
    run("SET CONSTRAINTS ALL IMMEDIATE")

    run("TRUNCATE shop_order")

    assert list(UserObjectPermission.objects.values_list("object_pk", flat=True)) == [str(company.pk)]


@pytest.mark.django_db
def test_rights_for_other_objects_and_other_models_stay(alice: User) -> None:
    order, other, company = Order.objects.create(pk=7), Order.objects.create(pk=8), Company.objects.create(pk=7)
    for obj in (order, other, company):
        permit(holder=alice, permission="view", obj=obj)

    Order.objects.filter(pk=7).delete()

    user = again(alice)
    assert [bool(check(user, "view", obj)) for obj in (other, company)] == [True, True]


@pytest.mark.django_db
def test_no_right_is_given_for_an_object_that_does_not_exist(alice: User) -> None:
    order = Order.objects.create()
    key = order.pk
    order.delete()
    order.pk = key
    role = make_role("reader", "shop.view_order")

    for give in (
        lambda: permit(holder=alice, permission="view", obj=order),
        lambda: assign_perm("shop.view_order", alice, order),
        lambda: assign_role(user=alice, role=role, scope=order),
    ):
        with pytest.raises(InvalidRequest):
            give()
    assert not UserObjectPermission.objects.exists()
    assert not Assignment.objects.exists()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["give", "delete"])
def test_a_right_given_during_a_deletion_does_not_outlive_the_object(first: str) -> None:
    alice, order = User.objects.create_user("alice"), Order.objects.create()
    began, may_end = threading.Event(), threading.Event()

    def give() -> None:
        with transaction.atomic():
            if first == "delete":
                began.wait(timeout=30)
            permit(holder=alice, permission="view", obj=order)
            if first == "give":
                began.set()
                may_end.wait(timeout=1)

    def delete() -> None:
        with transaction.atomic():
            if first == "give":
                began.wait(timeout=30)
            Order.objects.filter(pk=order.pk).delete()
            if first == "delete":
                began.set()
                may_end.wait(timeout=1)

    results = at_once([give, delete])

    assert not UserObjectPermission.objects.exists()
    assert [type(result) for result in results] == [type(None) if first == "give" else InvalidRequest, type(None)]


@pytest.fixture
def unguarded(db: None) -> None:
    """A database without triggers on the tables of objects."""
    if connection.vendor == "postgresql":
        run("SET CONSTRAINTS ALL IMMEDIATE")
    object_triggers.lift()


def make_orphans(alice: User) -> Order:
    kept, gone = Order.objects.create(), Order.objects.create()
    group = Group.objects.create(name="readers")
    role = create_role(name="reader")
    for obj in (kept, gone):
        for holder in (alice, group):
            permit(holder=holder, permission="view", obj=obj)
        assign_role(user=alice, role=role, scope=obj)
    gone.delete()
    return kept


def test_the_command_finds_and_removes_only_orphans(unguarded: None, alice: User) -> None:
    kept = make_orphans(alice)

    found, removed, after = (output_of(*options) for options in ([], ["--remove"], []))

    assert found == "shop.order: 3\n3 found.\n"
    assert removed == "shop.order: 3\n3 removed.\n"
    assert after == "0 found.\n"
    assert {row.object_pk for row in (*UserObjectPermission.objects.all(), *GroupObjectPermission.objects.all())} == {
        str(kept.pk)
    }
    assert Assignment.objects.get().scope_id == str(kept.pk)


def output_of(*options: str) -> str:
    out = StringIO()
    call_command("access_orphans", *options, stdout=out)
    return out.getvalue()


def test_creating_the_triggers_removes_existing_orphans(unguarded: None, alice: User) -> None:
    kept = make_orphans(alice)

    object_triggers.lay()

    assert object_triggers.missing() == []
    assert list(UserObjectPermission.objects.values_list("object_pk", flat=True)) == [str(kept.pk)]


def test_orphans_are_found_on_every_page(unguarded: None, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "_PAGE_SIZE", 2)
    for _n in range(3):
        make_orphans_of_one(alice)

    assert orphans.remove() == 3


def make_orphans_of_one(alice: User) -> None:
    gone = Order.objects.create()
    permit(holder=alice, permission="view", obj=gone)
    permit(holder=alice, permission="view", obj=Order.objects.create())
    gone.delete()


def test_an_invalid_key_is_an_orphan(unguarded: None, alice: User) -> None:
    view = UserObjectPermission(
        user=alice, object_pk="no number", permission=make_role("r", "shop.view_order").permissions.get()
    )
    view.content_type = ContentType.objects.get_for_model(Order)
    UserObjectPermission.objects.bulk_create([view])

    assert [orphan.key for orphan in orphans.find()] == ["no number"]


def test_end_rights_works_for_a_table_without_triggers(unguarded: None, alice: User) -> None:
    order, other = Order.objects.create(), Order.objects.create()
    for obj in (order, other):
        permit(holder=alice, permission="view", obj=obj)
        assign_role(user=alice, role=create_role(name=f"role {obj.pk}"), scope=obj)

    assert orphans.end_rights(Order, [order.pk]) == 2

    assert list(UserObjectPermission.objects.values_list("object_pk", flat=True)) == [str(other.pk)]
    assert not check(again(alice), "view", order)


def test_missing_triggers_fail_a_check(unguarded: None) -> None:
    assert [message.id for message in checks.check_object_triggers(databases=["default"])] == ["auth_rbac.E005"]

    object_triggers.lay()

    assert checks.check_object_triggers(databases=["default"]) == []


@pytest.mark.django_db
def test_rights_for_a_table_without_triggers_cause_a_warning(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    permit(holder=alice, permission="view", obj=Order.objects.create())
    permit(holder=alice, permission="view", obj=Paper.objects.create())
    monkeypatch.setattr(Order._meta, "managed", False)

    (message,) = checks.check_object_triggers(databases=["default"])

    assert (message.id, "shop.order" in message.msg, "shop.paper" in message.msg) == ("auth_rbac.W003", True, False)


@pytest.mark.sqlite
@pytest.mark.django_db
def test_a_virtual_table_is_left_out_and_causes_a_warning(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    order = Order.objects.create()
    permit(holder=alice, permission="view", obj=order)
    with connection.cursor() as cursor:
        cursor.execute("CREATE VIRTUAL TABLE shop_index USING fts5(id)")
    monkeypatch.setattr(Order._meta, "db_table", "shop_index")

    object_triggers.lay()

    assert object_triggers.missing() == []
    assert [message.id for message in checks.check_object_triggers(databases=["default"])] == ["auth_rbac.W003"]


@pytest.mark.django_db
def test_every_table_of_the_site_has_triggers() -> None:
    names = {model._meta.label for model in object_triggers.guarded_models()}

    assert {"shop.Order", "shop.Paper", "shop.Plan", "auth.User", "auth.Group", "auth_rbac.Role"} <= names
    assert not {"auth_rbac.Assignment", "guardian.UserObjectPermission", "shop.PlanUserPermission"} & names
    assert object_triggers.missing() == []


@pytest.mark.django_db
def test_a_bulk_deletion_ends_the_rights_in_one_statement(alice: User, django_assert_num_queries: Any) -> None:
    for order in Order.objects.bulk_create(Order() for _n in range(20)):
        permit(holder=alice, permission="view", obj=order)

    with django_assert_num_queries(1):
        Order.objects.all()._raw_delete("default")

    assert not UserObjectPermission.objects.exists()
