"""Sign-ins at providers that were answered."""

from datetime import datetime

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _


class SpentState(models.Model):
    """The state of a sign-in that was answered. It is kept until the sign-in would be refused for its time."""

    digest = models.CharField(primary_key=True, max_length=64, help_text=_("SHA-256 of the state, in hex."))
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("spent state")
        verbose_name_plural = _("spent states")

    def __str__(self) -> str:
        return self.digest

    @classmethod
    def spend(cls, digest: str, *, expires_at: datetime) -> bool:
        """Spend a state. Return whether this call spent it. The primary key decides: of fifty inserts at once one succeeds."""
        try:
            with transaction.atomic():
                cls.objects.create(digest=digest, expires_at=expires_at)
        except IntegrityError:
            return False
        return True
