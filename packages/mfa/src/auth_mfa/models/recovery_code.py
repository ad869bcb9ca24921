"""Recovery codes: a sheet of ten secrets, each valid for one login."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.methods import Method
from auth_core.crypto.secrets import spend
from auth_core.fields import EncryptedTextField
from auth_core.ids import uuid7
from auth_core.models.shown_once import ShownOnce
from auth_mfa.models.factor import Factor


class RecoveryCodeSet(Factor, ShownOnce):  # type: ignore[django-manager-missing]  # django-otp has no types
    """The current sheet of a user. A new sheet replaces it.

    All codes of a sheet are hashed with its salt. A guess costs one hash instead of ten, and
    the same code on another sheet has another digest (ASVS 6.5.2).
    """

    method = Method.RECOVERY_CODE

    salt = models.CharField(max_length=32, help_text=_("128 random bits, in hex."))
    cost = models.JSONField(help_text=_("The argon2id parameters of its digests."))
    left = models.PositiveSmallIntegerField(_("codes left"))
    unread = EncryptedTextField(
        purpose="auth_mfa.recovery_sheet.unread",
        null=True,
        help_text=_("The codes, encrypted, until the page has shown them once."),
    )

    class Meta:
        verbose_name = _("sheet of recovery codes")
        verbose_name_plural = _("sheets of recovery codes")
        constraints = [models.UniqueConstraint(fields=["user"], name="auth_mfa_one_sheet")]
        indexes = [
            models.Index(
                fields=["unread_until"], condition=Q(unread_until__isnull=False), name="auth_mfa_unread_codes"
            ),
        ]

    def spend_code(self, digest: str) -> bool:
        """Spend the code with this *digest*, once. Return whether this call spent it."""
        unspent = RecoveryCode.objects.filter(sheet=self, digest=digest, spent_at=None)
        if not spend(unspent, spent_at=timezone.now()):
            return False
        RecoveryCodeSet.objects.filter(pk=self.pk).update(left=F("left") - 1, failures=0, last_used_at=timezone.now())
        return True


class RecoveryCode(models.Model):
    """One code of a sheet. Only its digest is stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    sheet: Any = models.ForeignKey(RecoveryCodeSet, on_delete=models.CASCADE, related_name="codes")
    digest = models.CharField(max_length=64, help_text=_("argon2id with the salt of the sheet, in hex."))
    spent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")
        constraints = [models.UniqueConstraint(fields=["sheet", "digest"], name="auth_mfa_code_of_sheet")]

    def __str__(self) -> str:
        return str(self.pk)
