"""Roles, their content and hierarchy, and their assignments."""

from auth_rbac.models.assignment import Assignment
from auth_rbac.models.edge import RoleClosure, RoleEdge
from auth_rbac.models.role import Role
from auth_rbac.models.version import GraphVersion, PersonVersion
from auth_rbac.models.wildcard import Wildcard

__all__ = ["Assignment", "GraphVersion", "PersonVersion", "Role", "RoleClosure", "RoleEdge", "Wildcard"]
