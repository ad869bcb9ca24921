"""Recovery codes: a sheet of ten secrets, each valid for one login."""

from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.methods import Method
from auth_core.crypto.secrets import spend
from auth_core.fields import EncryptedTextField
from auth_core.ids import uuid7
from auth_mfa.models.factor import Factor

#: The columns of a sheet whose codes were shown.
_SHOWN: dict[str, Any] = {"unread": None, "unread_in": None, "unread_until": None}


class RecoveryCodeSet(Factor):
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
    unread_in = models.UUIDField(null=True, editable=False, help_text=_("The session whose page may show them."))
    unread_until = models.DateTimeField(null=True, editable=False, help_text=_("When they can no longer be shown."))

    class Meta:
        verbose_name = _("sheet of recovery codes")
        verbose_name_plural = _("sheets of recovery codes")
        constraints = [models.UniqueConstraint(fields=["user"], name="auth_mfa_one_sheet")]
        indexes = [
            models.Index(
                fields=["unread_until"], condition=Q(unread_until__isnull=False), name="auth_mfa_unread_codes"
            ),
        ]

    def take_unread(self, *, session_id: UUID) -> str:
        """Return the codes once, and an empty string to later calls.

        One conditional statement decides, so that only one of two concurrent pages shows them.
        """
        unread = self.unread
        shown = RecoveryCodeSet.objects.filter(
            pk=self.pk, unread__isnull=False, unread_in=session_id, unread_until__gt=timezone.now()
        )
        return str(unread) if unread and spend(shown, **_SHOWN) else ""

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


def wipe_unread() -> int:
    """Wipe unread codes that can no longer be shown, and return the number of sheets."""
    return int(RecoveryCodeSet.objects.filter(unread_until__lte=timezone.now()).update(**_SHOWN))
