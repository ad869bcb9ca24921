"""Counters of sent and used texts for each phone prefix."""

from datetime import timedelta

from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

#: Length of a counting window.
WINDOW = timedelta(days=1)


class SmsPrefixManager(models.Manager["SmsPrefix"]):
    """One verb per use."""

    def lock(self, prefix: str) -> "SmsPrefix":
        """Return the row of *prefix* with a current window, locked until the transaction ends."""
        self.bulk_create([SmsPrefix(prefix=prefix)], ignore_conflicts=True)
        row = self.select_for_update().get(pk=prefix)
        if row.began_at <= timezone.now() - WINDOW:
            row.restart()
        return row

    def note_used(self, prefix: str) -> None:
        """Count a text whose code was used."""
        self.filter(pk=prefix).update(used=F("used") + 1)


class SmsPrefix(models.Model):
    """Texts to the numbers of one prefix in the current window.

    Toll fraud requests thousands of texts and uses none of the codes. The share of used
    codes distinguishes it from people who sign in.
    """

    prefix = models.CharField(_("prefix"), primary_key=True, max_length=8)
    sent = models.PositiveIntegerField(_("sent"), default=0)
    used = models.PositiveIntegerField(_("used"), default=0)
    began_at = models.DateTimeField(_("counted since"), default=timezone.now)
    closed_until = models.DateTimeField(_("closed until"), null=True, blank=True)

    objects = SmsPrefixManager()

    class Meta:
        verbose_name = _("prefix of numbers")
        verbose_name_plural = _("prefixes of numbers")

    def __str__(self) -> str:
        return self.prefix

    @property
    def is_closed(self) -> bool:
        """Whether the prefix gets no texts now."""
        return self.closed_until is not None and self.closed_until > timezone.now()

    def restart(self) -> None:
        """Reset the counters."""
        self.sent, self.used, self.began_at = 0, 0, timezone.now()
        self.save(update_fields=["sent", "used", "began_at"])

    def close(self, *, pause: timedelta) -> None:
        """Close the prefix for *pause*, and reset the counters."""
        self.closed_until = timezone.now() + pause
        self.save(update_fields=["closed_until"])
        self.restart()
