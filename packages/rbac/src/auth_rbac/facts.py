"""The roles of a person, for policies, claims and exports."""

from typing import Any

from auth_core.users import UserLike
from auth_rbac.models import Assignment


def own_roles_of(user: UserLike) -> list[str]:
    """Return the keys of the roles that *user* holds everywhere now, in person. Roles of groups do not count.

    It is the fact ``roles`` of policies. `all_roles_of` counts the roles of groups as well.
    """
    assignments = Assignment.objects.of(user).everywhere().in_force()
    return sorted(assignments.values_list("role__key", flat=True))


def all_roles_of(user: UserLike) -> list[str]:
    """Return the keys of the roles that *user* holds everywhere now, in person or through a group.

    Roles that these inherit from are not listed. `own_roles_of` leaves out those of groups.
    """
    assignments = Assignment.objects.reaching(user).everywhere().in_force()
    return sorted(set(assignments.values_list("role__key", flat=True)))


def export_of(user: UserLike) -> list[dict[str, Any]]:
    """Return the roles of *user*, for their data export."""
    rows = Assignment.objects.of(user).select_related("role").order_by("pk")
    return [{"role": row.role.name, "valid_from": row.valid_from, "valid_until": row.valid_until} for row in rows]
