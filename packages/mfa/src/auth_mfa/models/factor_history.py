"""The factor history of users, which policy needs."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.crypto.secrets import spend
from auth_core.memo import Memo
from auth_core.users import UserLike
from auth_mfa.conf import mfa

#: On a user: whether they had a factor, as a login has just read it.
_READ: Memo[bool] = Memo("auth_mfa.had_factor")


class FactorHistoryManager(models.Manager["FactorHistory"]):
    """One verb per use."""

    def lock(self, user: UserLike) -> "FactorHistory":
        """Return the history of *user*, locked until the transaction ends, so that limits cannot be exceeded."""
        self.bulk_create([FactorHistory(user_id=user.pk)], ignore_conflicts=True)
        return self.select_for_update().get(user_id=user.pk)

    def had_factor(self, user: UserLike) -> bool:
        """Return whether *user* had a second factor since the last reset by an administrator.

        The first call of a login makes no query if the login has read it together with the factors.
        """
        read = _READ.take(user)
        if read is not None:
            return read
        return self.filter(user_id=user.pk, had_factor_since__isnull=False).exists()

    def keep(self, user: UserLike, *, had_factor: bool) -> None:
        """Keep what a login has just read on *user*, for the next `had_factor`."""
        _READ.keep(user, had_factor)

    def note_factor(self, user: UserLike) -> None:
        """Record that *user* has a second factor. From now on its loss leads to recovery, never to enrolment."""
        self.bulk_create([FactorHistory(user_id=user.pk)], ignore_conflicts=True)
        self.filter(user_id=user.pk, had_factor_since=None).update(had_factor_since=timezone.now())

    def spend_mailbox_guess(self, user: UserLike) -> bool:
        """Charge one guess at a code to the mailbox of *user*, which has no row. Return whether a guess was left.

        The mailbox is disabled after a hundred wrong codes in a row (SP 800-63B-4 section 3.2.2).
        """
        self.bulk_create([FactorHistory(user_id=user.pk)], ignore_conflicts=True)
        rows = self.filter(user_id=user.pk, mailbox_failures__lt=mfa.MAX_FAILURES)
        return spend(rows, mailbox_failures=F("mailbox_failures") + 1)

    def forget_mailbox_failures(self, user: UserLike) -> None:
        """Reset the failures after a correct code."""
        self.filter(user_id=user.pk).update(mailbox_failures=0)

    def reset(self, user: UserLike, *, at: datetime) -> None:
        """Allow *user* to enrol as if they never had a factor."""
        self.bulk_create([FactorHistory(user_id=user.pk)], ignore_conflicts=True)
        self.filter(user_id=user.pk).update(had_factor_since=None, mailbox_failures=0, reset_at=at)


class FactorHistory(models.Model):
    """Whether a user ever had a second factor.

    A claim to have lost it may come from a thief of the password. After a loss, a password
    alone never enrols another factor.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("user"),
    )
    had_factor_since = models.DateTimeField(
        _("had a factor since"), null=True, blank=True, help_text=_("Empty if never, or not since the last reset.")
    )
    reset_at = models.DateTimeField(
        _("reset at"), null=True, blank=True, help_text=_("When an administrator last reset the second factors.")
    )

    mailbox_failures = models.PositiveSmallIntegerField(
        _("mailbox failures"), default=0, db_default=0, help_text=_("Wrong codes in a row. A correct code resets it.")
    )

    objects = FactorHistoryManager()

    class Meta:
        verbose_name = _("factor history")
        verbose_name_plural = _("factor histories")
        permissions = [("reset_factors", _("Can reset all second factors of a user"))]

    def __str__(self) -> str:
        return str(self.pk)
