"""A wildcard of a role: all permissions of an app or of a model, including future ones."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7
from auth_rbac.models.role import Role
from auth_rbac.models.versioned_queryset import VersionedQuerySet


class Wildcard(models.Model):
    """A role allows or denies every permission of an app (``shop.*``) or of a model (``shop.order.*``)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="wildcards", verbose_name=_("role"))
    app_label = models.CharField(_("app"), max_length=100)
    model = models.CharField(_("model"), max_length=100, blank=True, help_text=_("Empty: every model of the app."))
    denies = models.BooleanField(_("denies"), default=False)

    objects = VersionedQuerySet.as_manager()

    class Meta:
        verbose_name = _("wildcard")
        verbose_name_plural = _("wildcards")
        constraints = [
            models.UniqueConstraint(fields=["role", "app_label", "model", "denies"], name="auth_rbac_wildcard_once")
        ]
        indexes = [models.Index(fields=["app_label"], name="auth_rbac_wildcard_app")]

    def __str__(self) -> str:
        return self.pattern

    @property
    def pattern(self) -> str:
        """The wildcard as text: ``shop.*`` or ``shop.order.*``."""
        return f"{self.app_label}.{self.model}.*" if self.model else f"{self.app_label}.*"
