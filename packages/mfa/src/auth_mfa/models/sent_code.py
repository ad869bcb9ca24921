"""Sent codes, each for one occasion."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.crypto.secrets import spend
from auth_core.fields import EncryptedTextField
from auth_core.ids import uuid7

#: SP 800-63B-4 section 3.1.3, ASVS 6.5.5: an out-of-band code is valid for ten minutes at most.
LIFETIME = timedelta(minutes=10)

#: Guesses for one destination and one occasion, over all codes that were sent for it.
GUESSES = 5


class SentCode(models.Model):
    """The code that one occasion (a login, an enrolment) sent to one destination.

    There is one row for the occasion, however often a code is sent. A new code does not
    renew the guesses (SP 800-63B-4 section 3.1.3.2) and is not valid in another login
    (ASVS 6.6.2).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    occasion = models.UUIDField(help_text=_("The pending login or the enrolment that it was sent for."))
    factor_id = models.UUIDField(help_text=_("The factor that it was sent to."))
    code = EncryptedTextField(
        purpose="auth_mfa.sent_code.code", help_text=_("The code, encrypted. A resend sends the same code.")
    )
    guesses_left = models.PositiveSmallIntegerField(default=GUESSES)
    sent = models.PositiveSmallIntegerField(default=0, help_text=_("How often codes were sent for this occasion."))
    expires_at = models.DateTimeField(db_index=True)
    spent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("sent code")
        verbose_name_plural = _("sent codes")
        constraints = [
            models.UniqueConstraint(fields=["occasion", "factor_id"], name="auth_mfa_code_of_occasion"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_live(self) -> bool:
        """Whether the code is neither used nor expired."""
        return self.spent_at is None and self.expires_at > timezone.now()

    def spend_guess(self) -> bool:
        """Charge one guess before it is checked. Return whether a guess was left."""
        rows = SentCode.objects.filter(pk=self.pk, spent_at=None, expires_at__gt=timezone.now(), guesses_left__gt=0)
        return spend(rows, guesses_left=F("guesses_left") - 1)

    def spend(self) -> bool:
        """Spend the code, once. Return whether this call spent it."""
        unspent = SentCode.objects.filter(pk=self.pk, spent_at=None, expires_at__gt=timezone.now())
        return spend(unspent, spent_at=timezone.now())


def code_of(*, occasion: UUID, factor_id: UUID) -> SentCode | None:
    """Return the code that was sent to a factor for *occasion*."""
    return SentCode.objects.filter(occasion=occasion, factor_id=factor_id).first()
