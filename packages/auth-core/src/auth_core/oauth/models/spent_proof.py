"""Client assertions and DPoP proofs that were used."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SpentProof(models.Model):
    """An assertion or a proof that was used. It is kept until it would be refused for its time."""

    digest = models.CharField(
        primary_key=True, max_length=64, help_text=_("SHA-256 of its kind, owner and id, in hex.")
    )
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("spent proof")
        verbose_name_plural = _("spent proofs")

    def __str__(self) -> str:
        return self.digest
