"""The graph of roles. A change of its edges updates the closure in the same transaction.

Every change holds the lock of the graph (`lock_graph`). Two concurrent edges that would close a
cycle together are written one after the other, and the second is refused.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from auth_core.errors import FieldError, InvalidRequest
from auth_rbac.conf import rbac
from auth_rbac.models import Role, RoleClosure, RoleEdge
from auth_rbac.models.version import lock_graph

#: A role's key -> the keys of the roles directly above it, or below it.
Neighbours = Mapping[UUID, set[UUID]]


def link(*, child: Role, parent: Role) -> bool:
    """Make *child* inherit from *parent*. Return whether it is a new parent. `roles` records the change.

    Raises:
        InvalidRequest: it would close a cycle, or make a chain longer than `MAX_DEPTH`.
    """
    with transaction.atomic():
        lock_graph()
        if RoleEdge.objects.filter(child=child, parent=parent).exists():
            return False
        RoleEdge(child=child, parent=parent).save(force_insert=True)
    return True


def unlink(*, child: Role, parent: Role) -> bool:
    """Remove *parent* from the parents of *child*. Return whether it was one."""
    with transaction.atomic():
        lock_graph()
        deleted, _by_model = RoleEdge.objects.filter(child=child, parent=parent).delete()
    return bool(deleted)


def check_edge(child_id: UUID, parent_id: UUID) -> None:
    """Refuse an edge that is not in the database yet. The caller holds the lock of the graph.

    Raises:
        InvalidRequest: as in `link`.
    """
    up = parents_by_role()
    if child_id == parent_id or child_id in distances(parent_id, up):
        raise InvalidRequest(FieldError("parent", "cycle", _("A role cannot be its own ancestor.")))
    down = _reversed(up)
    longest = _longest_path(parent_id, up) + 1 + _longest_path(child_id, down)
    if longest > rbac.MAX_DEPTH:
        limit = {"max": rbac.MAX_DEPTH}
        raise InvalidRequest(FieldError("parent", "too_deep", _("The chain of parents would be too long."), limit))


def rebuild_below(role_id: UUID, *, without: UUID | None = None) -> None:
    """Update the closure of *role_id* and of all roles below it. The caller holds the lock of the graph.

    Args:
        without: A role that is about to be deleted with its edges.
    """
    up = parents_by_role()
    if without is not None:
        up = {role: parents - {without} for role, parents in up.items() if role != without}
    affected = set(distances(role_id, _reversed(up)))
    expected = {
        (role, ancestor): distance
        for role in affected
        for ancestor, distance in distances(role, up).items()
        if distance
    }
    stored = {
        (row.role_id, row.ancestor_id): row for row in RoleClosure.objects.filter(role__in=affected, distance__gt=0)
    }
    stale = [row.pk for key, row in stored.items() if expected.get(key) != row.distance]
    RoleClosure.objects.filter(pk__in=stale).delete()
    RoleClosure.objects.bulk_create(
        RoleClosure(role_id=role, ancestor_id=ancestor, distance=distance)
        for (role, ancestor), distance in expected.items()
        if (role, ancestor) not in stored or stored[role, ancestor].distance != distance
    )


def parents_by_role() -> dict[UUID, set[UUID]]:
    """Return the roles directly above each role, with one query."""
    up: dict[UUID, set[UUID]] = defaultdict(set)
    for child, parent in RoleEdge.objects.values_list("child_id", "parent_id"):
        up[child].add(parent)
    return up


def distances(start: UUID, neighbours: Neighbours) -> dict[UUID, int]:
    """Return every role that can be reached from *start*, itself included, with its distance. It does not recurse."""
    reached, frontier, distance = {start: 0}, [start], 0
    while frontier:
        distance += 1
        frontier = sorted({
            neighbour for role in frontier for neighbour in neighbours.get(role, ()) if neighbour not in reached
        })  # fmt: skip
        reached |= dict.fromkeys(frontier, distance)
    return reached


def paths_up(start: UUID, up: Neighbours) -> dict[UUID, tuple[UUID, ...]]:
    """Return a shortest path from a role to each of its ancestors, itself included. It does not recurse."""
    paths: dict[UUID, tuple[UUID, ...]] = {start: (start,)}
    layer = [start]
    while layer:
        above = [(role, parent) for role in layer for parent in sorted(up.get(role, ())) if parent not in paths]
        for role, parent in above:
            paths.setdefault(parent, (*paths[role], parent))
        layer = list(dict.fromkeys(parent for _role, parent in above))
    return paths


def _longest_path(start: UUID, neighbours: Neighbours) -> int:
    """Return the number of edges on the longest path from *start*, layer by layer. The graph has no cycles."""
    layer: Iterable[UUID] = {start}
    length = -1
    while layer:
        length += 1
        layer = {neighbour for role in layer for neighbour in neighbours.get(role, ())}
    return length


def _reversed(neighbours: Neighbours) -> dict[UUID, set[UUID]]:
    reverse: dict[UUID, set[UUID]] = defaultdict(set)
    for role, others in neighbours.items():
        for other in others:
            reverse[other].add(role)
    return reverse
