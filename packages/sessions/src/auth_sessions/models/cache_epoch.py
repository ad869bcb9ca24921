"""The epoch of the shared cache: which of the snapshots in it may be believed."""

from uuid import uuid4

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

#: There is one row.
ONLY = 1


class CacheEpoch(models.Model):
    """One row that every process reads once a second; what was written under another value is not believed.

    A new value is a new random one, never the next number: after a restore of the
    database an old number would come round again, and old snapshots with it.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    value = models.UUIDField(default=uuid4, help_text=_("Snapshots carry it."))
    run = models.CharField(
        max_length=64, blank=True, help_text=_("Run id of the one Redis process that is believed; empty: none is.")
    )
    raised_at = models.DateTimeField(default=timezone.now, help_text=_("By the clock of the database."))
    reason = models.CharField(max_length=32, blank=True, help_text=_("Why it was raised last."))
    history = models.CharField(
        max_length=64, blank=True, help_text=_("Identifier and timeline of the database; another one was restored.")
    )

    class Meta:
        verbose_name = _("cache epoch")
        verbose_name_plural = _("cache epochs")

    def __str__(self) -> str:
        return str(self.value)
