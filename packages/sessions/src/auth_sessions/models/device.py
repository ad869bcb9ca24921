"""A browser or app that somebody signs in with."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7


class DeviceQuerySet(models.QuerySet["Device"]):
    """Questions that are asked of devices."""

    def of(self, user: Any) -> Self:
        """Return those of *user*."""
        return self.filter(user=user)


class Device(models.Model):
    """A browser in which somebody has completed a login, or the kind of app by which they did.

    A browser is recognised by the digest of its cookie. A caller without cookies is only
    described, by what its user agent says, and never known: anybody can say the same.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="auth_devices")
    digest = models.CharField(
        max_length=64,
        help_text=_("SHA-256 of the browser's secret, or of what a caller without one says it is, in hex."),
    )
    has_cookie = models.BooleanField(help_text=_("Whether it is recognised by a secret of its own."))
    name = models.CharField(max_length=100, blank=True, help_text=_("What its owner calls it."))
    kind = models.CharField(max_length=16, help_text=_("desktop, mobile, tablet, app, bot or other."))
    os = models.CharField(max_length=64, blank=True, help_text=_("Family of the operating system."))
    browser = models.CharField(max_length=64, blank=True, help_text=_("Family of the browser or library."))
    first_seen_at = models.DateTimeField(default=timezone.now, help_text=_("When a login was first completed in it."))
    last_seen_at = models.DateTimeField(default=timezone.now, help_text=_("When a login was last completed in it."))
    blocked_at = models.DateTimeField(null=True, blank=True, help_text=_("Since when nobody may sign in with it."))

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="auth_sessions_device_once")]
        indexes = [
            models.Index(fields=["user", "-last_seen_at"], name="auth_sessions_devices_of_user"),
            models.Index(fields=["last_seen_at"], condition=Q(blocked_at=None), name="auth_sessions_device_unseen"),
        ]

    def __str__(self) -> str:
        return self.name or " · ".join(filter(None, (self.browser, self.os))) or self.kind
