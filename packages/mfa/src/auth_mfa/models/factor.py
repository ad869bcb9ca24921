"""What every second factor has, whatever its kind."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, DeviceManager

from auth_core.assurance.methods import Method
from auth_core.crypto.secrets import spend
from auth_core.ids import uuid7
from auth_mfa.conf import mfa


class FactorQuerySet(models.QuerySet[Any]):
    """Questions about factors of one kind; one that is begun is none yet."""

    def of(self, user: Any) -> Self:
        """Return what *user* has confirmed; nobody has nothing."""
        return self.filter(user_id=None if user is None else user.pk, confirmed=True)

    def begun_by(self, user: Any) -> Self:
        """Return what *user* has begun and may still confirm; judged here, never by a sweeper."""
        return self.filter(user=user, confirmed=False, created_at__gt=timezone.now() - mfa.ENROLMENT_LIFETIME)

    def remove(self) -> int:
        """Delete these rows and what hangs on them, and return how many there were; inside a transaction.

        Each is locked first, as whoever answers with it does. Django deletes the codes of a
        sheet before the sheet: of two who lock in another order, one is killed.
        """
        keys = list(self.select_for_update().values_list("pk", flat=True))
        self.filter(pk__in=keys).delete()
        return len(keys)


class Factor(Device):  # type: ignore[misc]  # django-otp is untyped
    """One second factor of one person.

    django-otp's `Device`, so that whatever walks over a person's devices finds it; but it
    begins unconfirmed, and counts its failures in the database, before a guess is looked at.
    """

    #: How it proves; a kind of which single factors differ has a column of this name instead.
    method: ClassVar[Method]

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # As in Device, without a name for the way back: it would be one on every user model there is.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("user")
    )
    confirmed = models.BooleanField(_("confirmed"), default=False, help_text=_("Whether it was proved once."))
    failures = models.PositiveSmallIntegerField(
        _("failures"), default=0, help_text=_("Wrong answers in a row; a right one sets it back.")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    # Of logins alone: the enrolment is no use.
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)

    objects = DeviceManager.from_queryset(FactorQuerySet)()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"

    @property
    def is_exhausted(self) -> bool:
        """Whether it failed so often in a row that it answers no more (SP 800-63B-4 section 3.2.2)."""
        return self.failures >= mfa.MAX_FAILURES

    def spend_guess(self) -> bool:
        """Pay for one guess before it is looked at; say whether one was left of those in a row."""
        left = type(self).objects.filter(pk=self.pk, failures__lt=mfa.MAX_FAILURES)
        return spend(left, failures=F("failures") + 1)

    def note_use(self) -> None:
        """Note that it was proved now, and forget the failures before it."""
        type(self).objects.filter(pk=self.pk).update(failures=0, last_used_at=timezone.now())
