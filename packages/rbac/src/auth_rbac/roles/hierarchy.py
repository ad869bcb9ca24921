"""The graph of roles: parents are added and taken away, and the closure follows in the same transaction.

Every change holds the lock of the graph (`lock_graph`): two edges that would close a cycle
together, written at once, are one after the other, and the second is refused.
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

#: Role -> what stands directly above it (or below).
Neighbours = Mapping[UUID, set[UUID]]


def link(*, child: Role, parent: Role) -> bool:
    """Let *child* say what *parent* says, too; say whether it did not before. Records nothing: see `roles`.

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
    """Let *child* say no more what it says only through *parent*; say whether it was one."""
    with transaction.atomic():
        lock_graph()
        gone, _by_model = RoleEdge.objects.filter(child=child, parent=parent).delete()
    return bool(gone)


def check_edge(child_id: UUID, parent_id: UUID) -> None:
    """Refuse an edge that is not in the database yet; the lock of the graph is held.

    Raises:
        InvalidRequest: as in `link`.
    """
    up = parents_by_role()
    if child_id == parent_id or child_id in distances(parent_id, up):
        raise InvalidRequest(FieldError("parent", "cycle", _("This role stands above itself then.")))
    down = _turned(up)
    longest = _longest_way(parent_id, up) + 1 + _longest_way(child_id, down)
    if longest > rbac.MAX_DEPTH:
        limit = {"max": rbac.MAX_DEPTH}
        raise InvalidRequest(FieldError("parent", "too_deep", _("The chain of parents would be too long."), limit))


def rebuild_below(role_id: UUID, *, without: UUID | None = None) -> None:
    """Let the closure say what the edges say, for *role_id* and all below it; the lock of the graph is held.

    Args:
        without: A role that is about to go, with its edges.
    """
    up = parents_by_role()
    if without is not None:
        up = {role: parents - {without} for role, parents in up.items() if role != without}
    affected = set(distances(role_id, _turned(up)))
    wanted = {
        (role, ancestor): distance
        for role in affected
        for ancestor, distance in distances(role, up).items()
        if distance
    }
    stored = {
        (row.role_id, row.ancestor_id): row for row in RoleClosure.objects.filter(role__in=affected, distance__gt=0)
    }
    stale = [row.pk for key, row in stored.items() if wanted.get(key) != row.distance]
    RoleClosure.objects.filter(pk__in=stale).delete()
    RoleClosure.objects.bulk_create(
        RoleClosure(role_id=role, ancestor_id=ancestor, distance=distance)
        for (role, ancestor), distance in wanted.items()
        if (role, ancestor) not in stored or stored[role, ancestor].distance != distance
    )


def parents_by_role() -> dict[UUID, set[UUID]]:
    """Return what stands directly above each role, by one query."""
    up: dict[UUID, set[UUID]] = defaultdict(set)
    for child, parent in RoleEdge.objects.values_list("child_id", "parent_id"):
        up[child].add(parent)
    return up


def distances(start: UUID, neighbours: Neighbours) -> dict[UUID, int]:
    """Return all that can be reached from *start*, itself included, with the fewest edges to each; no recursion."""
    found, edge_of_the_known, distance = {start: 0}, [start], 0
    while edge_of_the_known:
        distance += 1
        edge_of_the_known = sorted({
            further for role in edge_of_the_known for further in neighbours.get(role, ()) if further not in found
        })  # fmt: skip
        found |= dict.fromkeys(edge_of_the_known, distance)
    return found


def ways_up(start: UUID, up: Neighbours) -> dict[UUID, tuple[UUID, ...]]:
    """Return a shortest way from a role to each of its ancestors, itself included; no recursion."""
    found: dict[UUID, tuple[UUID, ...]] = {start: (start,)}
    layer = [start]
    while layer:
        above = [(role, parent) for role in layer for parent in sorted(up.get(role, ())) if parent not in found]
        for role, parent in above:
            found.setdefault(parent, (*found[role], parent))
        layer = list(dict.fromkeys(parent for _role, parent in above))
    return found


def _longest_way(start: UUID, neighbours: Neighbours) -> int:
    """Return the edges on the longest way from *start*: layer by layer, in a graph without cycles."""
    layer: Iterable[UUID] = {start}
    length = -1
    while layer:
        length += 1
        layer = {further for role in layer for further in neighbours.get(role, ())}
    return length


def _turned(neighbours: Neighbours) -> dict[UUID, set[UUID]]:
    turned: dict[UUID, set[UUID]] = defaultdict(set)
    for role, others in neighbours.items():
        for other in others:
            turned[other].add(role)
    return turned
