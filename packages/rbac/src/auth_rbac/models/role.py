"""A role: a named set of allowed and denied permissions."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Permission
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7
from auth_rbac.models.versioned_queryset import VersionedQuerySet
from auth_rbac.names import MAX_LENGTH


class RoleQuerySet(VersionedQuerySet["Role"]):
    """Roles. `bulk_create` also writes the closure, which a signal does for a single role."""

    def bulk_create(self, objs: Iterable["Role"], *args: Any, **kwargs: Any) -> list["Role"]:
        """Create the roles and their closure."""
        closure = self.model._meta.apps.get_model("auth_rbac", "RoleClosure")
        with transaction.atomic(using=self.db):
            made = super().bulk_create(objs, *args, **kwargs)
            closure._default_manager.using(self.db).bulk_create(
                closure(role=role, ancestor=role, distance=0) for role in made
            )
        return made


class Role(models.Model):
    """A named set of permissions. `key` is the same for all spellings of the name.

    The content of a role is its permissions, its denials, its `Wildcard` rows, and the content of its parents
    (`RoleEdge`). A denial overrides every permission.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=MAX_LENGTH, help_text=_("As people read it."))
    key = models.CharField(_("key"), max_length=MAX_LENGTH, unique=True, editable=False)
    description = models.CharField(_("description"), max_length=300, blank=True)
    permissions = models.ManyToManyField(Permission, verbose_name=_("permissions"), blank=True, related_name="+")
    denials = models.ManyToManyField(
        Permission,
        verbose_name=_("denials"),
        blank=True,
        related_name="+",
        help_text=_("Permissions denied to all members of this role, even if granted elsewhere."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = RoleQuerySet.as_manager()

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")

    def __str__(self) -> str:
        return self.name
