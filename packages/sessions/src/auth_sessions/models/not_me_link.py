"""The link in the mail about a new device, by which a person says that it was not them."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from auth_core.models.one_time_link import OneTimeLink
from auth_sessions.conf import sessions


class NotMeLink(OneTimeLink):
    """Shuts an account, and opens nothing: whoever finds it can annoy, and never get in."""

    prefix = "eln"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # No foreign key: whoever signed in where they should not could have the device forgotten, and the link with it.
    device_id = models.UUIDField(help_text=_("The device that the mail tells of."))

    class Meta:
        verbose_name = _("not-me link")
        verbose_name_plural = _("not-me links")

    @classmethod
    def lifetime(cls) -> timedelta:
        """Return `NOT_ME_LIFETIME`."""
        return sessions.NOT_ME_LIFETIME
