"""The hierarchy of roles: edges, and the closure that is computed from them."""

from typing import Any, NoReturn

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7
from auth_rbac.models.role import Role


class RoleEdgeQuerySet(models.QuerySet["RoleEdge"]):
    """Edges are written one by one: a bulk change sends no signal, and the closure would become stale."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refuse: create another edge instead."""
        raise TypeError("Use auth_rbac.roles.hierarchy.link and unlink.")

    def bulk_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: the closure would become stale."""
        raise TypeError("Use auth_rbac.roles.hierarchy.link.")


class RoleEdge(models.Model):
    """*child* inherits the content of *parent*."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    child = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="edges_up", verbose_name=_("role"))
    parent = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="edges_down", verbose_name=_("parent"))

    objects = RoleEdgeQuerySet.as_manager()

    class Meta:
        verbose_name = _("parent of a role")
        verbose_name_plural = _("parents of roles")
        constraints = [
            models.UniqueConstraint(fields=["child", "parent"], name="auth_rbac_edge_once"),
            models.CheckConstraint(condition=~Q(child=F("parent")), name="auth_rbac_edge_to_another"),
        ]

    def __str__(self) -> str:
        return f"{self.child_id} -> {self.parent_id}"


class RoleClosure(models.Model):
    """*role* has the content of *ancestor*. Every role is its own ancestor at distance 0."""

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="+")
    ancestor = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="+")
    distance = models.PositiveSmallIntegerField(help_text="Edges on the shortest way.")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["role", "ancestor"], name="auth_rbac_closure_once")]

    def __str__(self) -> str:
        return f"{self.role_id} => {self.ancestor_id}"
