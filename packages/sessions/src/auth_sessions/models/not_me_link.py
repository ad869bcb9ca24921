"""The "this was not me" link in the mail about a new device."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from auth_core.models.one_time_link import OneTimeLink
from auth_sessions.conf import sessions


class NotMeLink(OneTimeLink):
    """A link that locks the account. It gives no access, so a stolen link can only annoy."""

    prefix = "eln"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # No foreign key. An intruder could forget the device and delete the link with it.
    device_id = models.UUIDField(help_text=_("The device that the mail tells of."))

    class Meta:
        verbose_name = _("not-me link")
        verbose_name_plural = _("not-me links")

    @classmethod
    def lifetime(cls) -> timedelta:
        """Return `NOT_ME_LIFETIME`."""
        return sessions.NOT_ME_LIFETIME
