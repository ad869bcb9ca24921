"""Small random worlds of people, groups, roles, edges, permissions, assignments and objects."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from guardian.shortcuts import assign_perm
from hypothesis import strategies as st

from auth_core.errors import InvalidRequest
from auth_rbac.models import Assignment, Role, RoleEdge, Wildcard
from shop.models import Branch, Company, Order

#: The time at which the tests decide.
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ["shop.view_order", "shop.change_order", "shop.export", "shop.view_branch"]

few = st.integers(0, 3)
pairs = st.lists(st.tuples(few, few), max_size=5)
#: Hours from now. Some assignments begin or end exactly now.
hours = st.integers(-2, 2)


@dataclass
class World:
    """The created objects."""

    people: list[User] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)

    def around(self, order: Any) -> tuple[Any, ...]:
        """Return the outer objects of an order."""
        return () if order is None or order.branch is None else (order.branch, order.branch.company)


@dataclass(frozen=True)
class Plan:
    """What to create."""

    edges: list[tuple[int, int]]
    permissions: list[tuple[int, int]]
    denials: list[tuple[int, int]]
    wildcards: list[tuple[int, str, bool]]
    assignments: list[tuple[bool, int, int, int, int, int | None]]
    members: list[tuple[int, int]]
    objects: list[tuple[bool, int, int, int]]
    alone: list[tuple[bool, int, int]]


plans = st.builds(
    Plan,
    edges=pairs,
    permissions=pairs,
    denials=st.lists(st.tuples(few, few), max_size=2),
    wildcards=st.lists(st.tuples(few, st.sampled_from(["", "order"]), st.booleans()), max_size=2),
    assignments=st.lists(
        st.tuples(st.booleans(), few, few, st.integers(0, 6), hours, st.none() | st.integers(1, 4)), max_size=6
    ),
    members=pairs,
    objects=st.lists(st.tuples(st.booleans(), few, few, few), max_size=4),
    alone=st.lists(st.tuples(st.booleans(), few, few), max_size=2),
)


def build(plan: Plan) -> World:  # noqa: C901 - one loop for each list of the plan
    """Create the world of *plan*. An edge that would close a cycle is refused and left out."""
    world = World(
        people=[User.objects.create(username=f"person {n}", is_superuser=False) for n in range(4)],
        groups=[Group.objects.create(name=f"group {n}") for n in range(4)],
        roles=[Role.objects.create(name=f"role {n}", key=f"role {n}") for n in range(4)],
    )
    companies = [Company.objects.create(name=str(n)) for n in range(2)]
    branches = [Branch.objects.create(company=company) for company in companies]
    world.orders = [Order.objects.create(branch=branch) for branch in (branches[0], branches[0], branches[1], None)]
    permissions = {name: _permission(name) for name in NAMES}
    for child, parent in plan.edges:
        try:
            RoleEdge.objects.get_or_create(child=world.roles[child], parent=world.roles[parent])
        except InvalidRequest:
            continue
    for role, number in plan.permissions:
        world.roles[role].permissions.add(permissions[NAMES[number]])
    for role, number in plan.denials:
        world.roles[role].denials.add(permissions[NAMES[number]])
    for role, model, denies in plan.wildcards:
        Wildcard.objects.get_or_create(role=world.roles[role], app_label="shop", model=model, denies=denies)
    for person, group in plan.members:
        world.people[person].groups.add(world.groups[group])
    scopes: list[Any] = [None, None, *world.orders[:3], branches[0], companies[0]]
    for by_group, holder, role, scope, begins, lasts in plan.assignments:
        _assign(world, by_group, holder, world.roles[role], scopes[scope], begins, lasts)
    for by_group, holder, order, number in plan.objects:
        if number < 3:  # the last permission is for branches
            group_or_person = (world.groups if by_group else world.people)[holder]
            assign_perm(permissions[NAMES[number]], group_or_person, world.orders[order])
    for by_group, holder, number in plan.alone:
        if by_group:
            world.groups[holder].permissions.add(permissions[NAMES[number]])
        else:
            world.people[holder].user_permissions.add(permissions[NAMES[number]])
    return world


def _permission(name: str) -> Permission:
    app, codename = name.split(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def _assign(world: World, by_group: bool, holder: int, role: Role, scope: Any, begins: int, lasts: int | None) -> None:
    since = NOW + timedelta(hours=begins)
    Assignment.objects.get_or_create(
        user=None if by_group else world.people[holder],
        group=world.groups[holder] if by_group else None,
        role=role,
        scope_type=None if scope is None else ContentType.objects.get_for_model(scope),
        scope_id="" if scope is None else str(scope.pk),
        defaults={
            "valid_from": since,
            "valid_until": None if lasts is None else since + timedelta(hours=lasts),
        },
    )
