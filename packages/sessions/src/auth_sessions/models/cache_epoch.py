"""The epoch of the snapshot cache, which decides which snapshots are valid."""

from uuid import uuid4

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

#: Primary key of the only row.
ONLY = 1


class CacheEpoch(models.Model):
    """One row that every process reads once a second. Snapshots with another value are invalid.

    A new value is random and not a counter. After a database restore a counter would repeat old numbers, and old
    snapshots would become valid again.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    value = models.UUIDField(default=uuid4, help_text=_("Snapshots carry it."))
    run = models.CharField(max_length=64, blank=True, help_text=_("Run ID of the trusted Redis process. Empty: none."))
    raised_at = models.DateTimeField(default=timezone.now, help_text=_("By the clock of the database."))
    reason = models.CharField(max_length=32, blank=True, help_text=_("Why it was raised last."))
    history = models.CharField(
        max_length=64, blank=True, help_text=_("Identifier and timeline of the database. They change after a restore.")
    )

    class Meta:
        verbose_name = _("cache epoch")
        verbose_name_plural = _("cache epochs")

    def __str__(self) -> str:
        return str(self.value)
