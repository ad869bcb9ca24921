"""Roles, their content and hierarchy, and their assignments to people, groups and services."""

from auth_rbac.models.assignment import Assignment
from auth_rbac.models.edge import RoleClosure, RoleEdge
from auth_rbac.models.group_identity import GroupIdentity
from auth_rbac.models.holder import Holder, HolderKind
from auth_rbac.models.role import Role
from auth_rbac.models.version import GraphVersion, PersonVersion, ServiceVersion
from auth_rbac.models.wildcard import Wildcard

__all__ = [
    "Assignment", "GraphVersion", "GroupIdentity", "Holder", "HolderKind", "PersonVersion", "Role", "RoleClosure",
    "RoleEdge", "ServiceVersion", "Wildcard",
]  # fmt: skip
