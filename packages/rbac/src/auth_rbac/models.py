"""Roles, what they may do, and who holds them where and when."""

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7
from auth_rbac.names import MAX_LENGTH


class Role(models.Model):
    """A name for what somebody may do; `key` is what two spellings of the name have in common."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=MAX_LENGTH, help_text=_("As people read it."))
    key = models.CharField(_("key"), max_length=MAX_LENGTH, unique=True, editable=False)
    description = models.CharField(_("description"), max_length=300, blank=True)
    permissions = models.ManyToManyField(Permission, verbose_name=_("permissions"), blank=True, related_name="+")
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")

    def __str__(self) -> str:
        return self.name


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    """Questions about assignments."""

    def in_force(self, moment: datetime | None = None) -> Self:
        """Return those that hold at *moment*, now when left out; judged when read, never by a sweeper."""
        at = moment or timezone.now()
        return self.filter(Q(valid_until=None) | Q(valid_until__gt=at), valid_from__lte=at)

    def of(self, user: Any) -> Self:
        """Return those of *user*; nobody has none."""
        return self.filter(user_id=user.pk) if user.pk is not None else self.none()

    def everywhere(self) -> Self:
        """Return those that are not bound to an object."""
        return self.filter(scope_type=None)


class Assignment(models.Model):
    """A person holds a role in a scope, from when until when, granted by whom and why."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="role_assignments", verbose_name=_("user")
    )
    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="assignments", verbose_name=_("role"))
    scope_type = models.ForeignKey(
        ContentType,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text=_("Empty: everywhere."),
    )
    scope_id = models.CharField(max_length=64, blank=True, help_text=_("Key of the object it is bound to."))
    valid_from = models.DateTimeField(_("valid from"), default=timezone.now)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True, help_text=_("Empty: until revoked."))
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("granted by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role"], condition=Q(scope_type=None), name="auth_rbac_assignment_everywhere"
            ),
            models.UniqueConstraint(
                fields=["user", "role", "scope_type", "scope_id"],
                condition=Q(scope_type__isnull=False),
                name="auth_rbac_assignment_in_scope",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="auth_rbac_assignment_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.role_id}"
