"""A role: a name for what somebody may do, and for what they may not."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Permission
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7
from auth_rbac.models.touching import TouchingQuerySet
from auth_rbac.names import MAX_LENGTH


class RoleQuerySet(TouchingQuerySet["Role"]):
    """Roles; many that are made at once are their own ancestors like each that is made alone."""

    def bulk_create(self, objs: Iterable["Role"], *args: Any, **kwargs: Any) -> list["Role"]:
        """Create, and let the closure follow, which a signal does for a single one."""
        closure = self.model._meta.apps.get_model("auth_rbac", "RoleClosure")
        with transaction.atomic(using=self.db):
            made = super().bulk_create(objs, *args, **kwargs)
            closure._default_manager.using(self.db).bulk_create(
                closure(role=role, ancestor=role, distance=0) for role in made
            )
        return made


class Role(models.Model):
    """A name for what somebody may do; `key` is what two spellings of the name have in common.

    What a role says are its permissions, its denials and its `Wildcard` rows, and all that
    its parents say (`RoleEdge`). A denial anywhere wins over any permission.
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
        help_text=_("What nobody who holds this role may do, whatever else they hold."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = RoleQuerySet.as_manager()

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")

    def __str__(self) -> str:
        return self.name
