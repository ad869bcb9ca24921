"""The base model of all second factors."""

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
from auth_core.users import UserLike
from auth_mfa.conf import mfa


class FactorQuerySet(models.QuerySet[Any]):
    """Queries for factors of one kind. An unconfirmed factor does not count."""

    def of(self, user: UserLike | None) -> Self:
        """Return the confirmed factors of *user*, or none if *user* is ``None``."""
        return self.filter(user_id=None if user is None else user.pk, confirmed=True)

    def begun_by(self, user: UserLike) -> Self:
        """Return the factors that *user* may still confirm. Expiry is checked here, not by a sweep."""
        return self.filter(user=user, confirmed=False, created_at__gt=timezone.now() - mfa.ENROLMENT_LIFETIME)

    def remove(self) -> int:
        """Delete these rows and the rows that depend on them, inside a transaction. Return the number of rows.

        Each row is locked first, as an answer does. Django deletes the codes of a sheet before
        the sheet, and two transactions that lock in different orders would deadlock.
        """
        keys = list(self.select_for_update().values_list("pk", flat=True))
        self.filter(pk__in=keys).delete()
        return len(keys)


class Factor(Device):  # type: ignore[misc]  # django-otp is untyped
    """One second factor of one user.

    It is a `Device` of django-otp, so that code that lists a user's devices finds it. Unlike
    other devices it begins unconfirmed, and it counts a failure in the database before a
    guess is checked.
    """

    #: The method of the kind. A kind with several methods has a column of this name instead.
    method: ClassVar[Method]

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # As in Device, but without a reverse accessor on the user model.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("user")
    )
    confirmed = models.BooleanField(_("confirmed"), default=False, help_text=_("Whether the enrolment was completed."))
    failures = models.PositiveSmallIntegerField(
        _("failures"), default=0, help_text=_("Wrong answers in a row. A correct answer resets it.")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    # Set by logins only. An enrolment is not a use.
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)

    objects = DeviceManager.from_queryset(FactorQuerySet)()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"

    @property
    def is_exhausted(self) -> bool:
        """Whether it is disabled after too many failures in a row (SP 800-63B-4 section 3.2.2)."""
        return self.failures >= mfa.MAX_FAILURES

    def spend_guess(self) -> bool:
        """Charge one guess before it is checked. Return whether a guess was left."""
        rows = type(self).objects.filter(pk=self.pk, failures__lt=mfa.MAX_FAILURES)
        return spend(rows, failures=F("failures") + 1)

    def note_use(self) -> None:
        """Record a use now, and reset the failures."""
        type(self).objects.filter(pk=self.pk).update(failures=0, last_used_at=timezone.now())
