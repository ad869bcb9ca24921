"""What an application on a device asked for, until a person decides in a browser."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7
from auth_core.oauth.conf import application_model


class DeviceRequest(models.Model):
    """A request of a device, with the two codes that name it: one for the device, one for the person (RFC 8628).

    The first person who enters the code binds the row to themselves and to their session. Only `completed_at` ends it, once,
    by one conditional statement. An approval writes the `Authorization` with the same digest of the device code, and the
    device redeems it there.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    device_code_digest = models.CharField(
        max_length=64, unique=True, help_text=_("SHA-256 of the device code, in hex.")
    )
    user_code_digest = models.CharField(
        max_length=64, unique=True, help_text=_("HMAC-SHA-256 of the user code under the key of the site, in hex.")
    )
    application = models.ForeignKey(application_model(), on_delete=models.CASCADE, related_name="+", db_index=False)
    parameters = models.JSONField(default=dict, help_text=_("The parameters as the device sent them."))
    dpop_jkt = models.CharField(
        max_length=43, blank=True, default="", help_text=_("Thumbprint of the key that the code is bound to.")
    )
    ip = models.GenericIPAddressField(null=True, blank=True, help_text=_("Address of the device."))
    network = models.CharField(max_length=64, blank=True, help_text=_("Network of the device."))
    agent = models.CharField(
        max_length=64, blank=True, help_text=_("Name of the program on the device, from a closed list.")
    )
    interval = models.PositiveSmallIntegerField(help_text=_("How long the device waits between two polls, in seconds."))
    next_poll_at = models.DateTimeField(help_text=_("A poll before this moment is too early."))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        help_text=_("Who entered the user code."),
    )
    session_id = models.UUIDField(
        null=True, blank=True, help_text=_("Public id of the session in which it was entered. No other may approve.")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    completed_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was approved or denied."))
    is_denied = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("device request")
        verbose_name_plural = _("device requests")

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires_at <= timezone.now()
