"""The graph of roles has no cycles, and the closure matches its edges."""

from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from guardian.models import UserObjectPermission

from auth_core.errors import InvalidRequest
from auth_core.testing.parallel import ROUNDS, at_once, tally
from auth_rbac import receivers
from auth_rbac.models import Role, RoleClosure, RoleEdge
from auth_rbac.roles import hierarchy
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import change_role, create_role, delete_role
from conftest import again, make_role, permission


def test_a_role_inherits_from_its_parents(alice: User) -> None:
    reader, clerk = make_role("reader", "shop.view_order"), make_role("clerk", "shop.add_order")
    boss = create_role(name="boss", parents=[reader, clerk])
    assign_role(user=alice, role=boss)

    assert again(alice).has_perms(["shop.view_order", "shop.add_order"])
    change_role(role=boss, parents=[clerk])
    assert not again(alice).has_perm("shop.view_order")
    delete_role(role=clerk)
    assert not again(alice).has_perm("shop.add_order")


def test_a_role_cannot_be_its_own_ancestor(db: None) -> None:
    first, second, third = (create_role(name=name) for name in ("one", "two", "three"))
    change_role(role=first, parents=[second])
    change_role(role=second, parents=[third])

    for role in (first, second, third):
        with pytest.raises(InvalidRequest) as refused:
            change_role(role=third, parents=[role])
        assert refused.value.errors[0].code == "cycle"
    with pytest.raises(InvalidRequest):
        RoleEdge.objects.create(child=third, parent=first)
    with pytest.raises(TypeError):
        RoleEdge.objects.bulk_create([RoleEdge(child=third, parent=first)])


def test_a_chain_is_refused_when_it_becomes_too_long(db: None) -> None:
    roles = Role.objects.bulk_create(Role(name=str(n), key=str(n)) for n in range(10_000))
    made = 0

    with pytest.raises(InvalidRequest) as refused:
        for child, parent in pairwise(roles):
            hierarchy.link(child=child, parent=parent)
            made += 1

    assert (made, refused.value.errors[0].code) == (16, "too_deep")
    with pytest.raises(InvalidRequest):
        # An edge in the middle as well: the whole chain counts.
        hierarchy.link(child=roles[20], parent=roles[0])
    assert RoleClosure.objects.filter(role=roles[0]).count() == 17


def test_a_path_of_any_length_is_walked_without_recursion() -> None:
    up: dict[Any, set[Any]] = {n: {n + 1} for n in range(10_000)}

    assert len(hierarchy.distances(0, up)) == 10_001  # type: ignore[arg-type]  # any key will do


def test_a_denial_overrides_every_permission(alice: User) -> None:
    alice.user_permissions.add(permission("shop.view_order"))
    assign_role(user=alice, role=create_role(name="shop", wildcards=["shop.*"]))
    assert again(alice).has_perm("shop.view_order")

    assign_role(user=alice, role=create_role(name="not orders", denied_wildcards=["shop.order.*"]))

    assert not again(alice).has_perm("shop.view_order")
    assert again(alice).has_perm("shop.view_branch")
    alice.is_superuser = True
    alice.save()
    assert again(alice).has_perm("shop.view_order"), "Django asks no backend about a superuser"


def test_a_wildcard_covers_future_permissions(alice: User) -> None:
    assign_role(user=alice, role=create_role(name="orders", wildcards=["shop.order.*"]))
    assert not again(alice).has_perm("shop.burn")

    view_order = permission("shop.view_order")
    type(view_order).objects.create(content_type=view_order.content_type, codename="burn", name="Can burn orders")

    assert again(alice).has_perm("shop.burn")


def test_a_declared_permission_exists_after_a_migration(alice: User) -> None:
    assign_role(user=alice, role=make_role("exporter", "shop.export"))

    assert again(alice).has_perm("shop.export")


@pytest.mark.parametrize("pattern", ["*", "shop", "shop.nothing.*", "nowhere.*", "shop.order.view.*", ".*"])
def test_an_invalid_pattern_is_refused(pattern: str, db: None) -> None:
    with pytest.raises(InvalidRequest):
        create_role(name="wild", wildcards=[pattern])
    assert not Role.objects.exists()


def close_a_cycle(number: int) -> list[Any]:
    """Return the concurrent acts of two people: each makes the other's role a parent of their own."""
    first, second = (Role.objects.create(name=f"{n} {number}", key=f"{n} {number}") for n in "ab")
    return [lambda: hierarchy.link(child=first, parent=second), lambda: hierarchy.link(child=second, parent=first)]


def cycles() -> int:
    """Count the roles that are their own ancestors by the edges."""
    up = hierarchy.parents_by_role()
    return sum(role in hierarchy.distances(parent, up) for role, parents in up.items() for parent in parents)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rounds", [5, pytest.param(ROUNDS, marks=pytest.mark.races)])
def test_concurrent_edges_close_no_cycle(rounds: int) -> None:
    for number in range(rounds):
        results = tally(at_once(close_a_cycle(number)))

        assert results == {"True": 1, "invalid_request": 1}
    assert cycles() == 0


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_a_cycle_is_closed_and_the_test_detects_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hierarchy, "lock_graph", lambda: None)
    monkeypatch.setattr(receivers, "lock_graph", lambda: None)
    monkeypatch.setattr(hierarchy, "rebuild_below", lambda *args, **kwargs: None)

    for number in range(60):
        at_once(close_a_cycle(number))
        if cycles():
            return
    raise AssertionError("The planted defect must be detected.")


@pytest.mark.postgresql
def test_both_statements_use_an_index(alice: User) -> None:
    from auth_core.testing.plans import unindexed  # noqa: PLC0415 - as above
    from auth_rbac.decisions.decisions import check, check_many  # noqa: PLC0415 - as above
    from shop.models import Order  # noqa: PLC0415 - beside its use

    orders = [Order.objects.create() for _n in range(3)]

    assert unindexed(lambda: check(again(alice), "view", orders[0])) == []
    assert unindexed(lambda: check_many(again(alice), "view", orders)) == []
    by_object = UserObjectPermission.objects.filter(
        object_pk="7", content_type=permission("shop.view_order").content_type
    )
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "auth_rbac_of_guardian_userobjectpermission" in by_object.explain()
    with CaptureQueriesContext(connection) as queries:
        check_many(again(alice), "view", orders)
    assert len(queries) == 2, "the person, and one for all objects"
