"""The browser or app with which a user signs in."""

from typing import Self

from django.conf import settings
from django.db import connections, models, router
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7
from auth_core.users import UserLike
from auth_sessions.user_agents import listed_names


class DeviceQuerySet(models.QuerySet["Device"]):
    """Queries for devices."""

    def of(self, user: UserLike) -> Self:
        """Return the devices of *user*."""
        return self.filter(user=user)

    def see(self, device: "Device") -> "Device | None":
        """Insert *device*, or update the user's row with the same digest. Return the row, or ``None`` if it is blocked.

        One statement. The database checks the block under the row's lock, so that no login passes a block that comes at
        the same moment. Of two parallel logins in a new browser one inserts the row and the other updates it.
        """
        using = router.db_for_write(self.model)
        connection = connections[using]
        columns = [connection.ops.quote_name(str(field.column)) for field in self.model._meta.concrete_fields]
        sql = _SEE.format(
            table=connection.ops.quote_name(self.model._meta.db_table),
            columns=", ".join(columns),
            values=", ".join(["%s"] * len(columns)),
        )
        values = [
            field.get_db_prep_save(field.pre_save(device, add=True), connection)
            for field in self.model._meta.concrete_fields
        ]
        row = next(iter(self.model._base_manager.using(using).raw(sql, values)), None)
        if row is not None:
            row.user = device.user
        return row


class Device(models.Model):
    """A browser in which a user has completed a login, or the kind of app with which they did.

    A browser is recognised by the digest of its cookie. A caller without cookies is described by its user agent and
    never known, because a user agent can be imitated.
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
    blocked_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Time since which this device cannot sign in.")
    )

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="auth_sessions_device_once")]
        indexes = [
            models.Index(fields=["user", "-last_seen_at"], name="auth_sessions_devices_of_user"),
            models.Index(fields=["digest"], name="auth_sessions_device_digest"),
            models.Index(fields=["last_seen_at"], condition=Q(blocked_at=None), name="auth_sessions_device_unseen"),
        ]

    def __str__(self) -> str:
        return self.name or listed_names(self.browser, self.os) or self.kind


_SEE = """
INSERT INTO {table} AS stored ({columns}) VALUES ({values})
ON CONFLICT (user_id, digest) DO UPDATE SET
  last_seen_at = excluded.last_seen_at, kind = excluded.kind, os = excluded.os, browser = excluded.browser
WHERE stored.blocked_at IS NULL
RETURNING {columns}
"""
