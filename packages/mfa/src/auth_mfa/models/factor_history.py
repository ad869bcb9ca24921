"""What policy has to remember of a person."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.crypto.secrets import spend
from auth_mfa.conf import mfa


class FactorHistoryManager(models.Manager["FactorHistory"]):
    """One verb per use."""

    def lock(self, user: Any) -> "FactorHistory":
        """Return the standing of *user*, locked until the transaction ends: what is counted then cannot be passed."""
        self.bulk_create([FactorHistory(user_id=user.pk)], ignore_conflicts=True)
        return self.select_for_update().get(user_id=user.pk)

    def had_factor(self, user: Any) -> bool:
        """Say whether *user* ever had a second factor since an administrator last reset them."""
        return self.filter(user_id=user.pk, had_factor_since__isnull=False).exists()

    def note_factor(self, user: Any) -> None:
        """Note that *user* has a second factor: from now on losing it leads to recovery, never to enrolment."""
        self.bulk_create([FactorHistory(user_id=user.pk)], ignore_conflicts=True)
        self.filter(user_id=user.pk, had_factor_since=None).update(had_factor_since=timezone.now())

    def spend_mailbox_guess(self, user: Any) -> bool:
        """Pay for one guess at a code to the mailbox of *user*, which has no row of its own; say whether one was left.

        A hundred wrong ones in a row, and it answers no more (SP 800-63B-4 section 3.2.2).
        """
        self.bulk_create([FactorHistory(user_id=user.pk)], ignore_conflicts=True)
        left = self.filter(user_id=user.pk, mailbox_failures__lt=mfa.MAX_FAILURES)
        return spend(left, mailbox_failures=F("mailbox_failures") + 1)

    def forget_mailbox_failures(self, user: Any) -> None:
        """Forget the wrong ones: a right one came."""
        self.filter(user_id=user.pk).update(mailbox_failures=0)

    def reset(self, user: Any, *, at: datetime) -> None:
        """Let *user* enrol as if they never had a factor."""
        self.bulk_create([FactorHistory(user_id=user.pk)], ignore_conflicts=True)
        self.filter(user_id=user.pk).update(had_factor_since=None, mailbox_failures=0, reset_at=at)


class FactorHistory(models.Model):
    """Whether a person ever had a second factor.

    Whoever had one and has it no more is a victim of a loss, or a thief who says so: a
    password alone never enrols another.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("user"),
    )
    had_factor_since = models.DateTimeField(
        _("had a factor since"), null=True, blank=True, help_text=_("Empty: never, or not since the last reset.")
    )
    reset_at = models.DateTimeField(_("reset at"), null=True, blank=True, help_text=_("When an administrator did."))

    mailbox_failures = models.PositiveSmallIntegerField(
        _("wrong codes of the mailbox"), default=0, db_default=0, help_text=_("In a row; a right one sets it back.")
    )

    objects = FactorHistoryManager()

    class Meta:
        verbose_name = _("standing of a person")
        verbose_name_plural = _("standings of people")
        permissions = [("reset_factors", _("Can take all second factors of a person away"))]

    def __str__(self) -> str:
        return str(self.pk)
