"""Second factors, and what is kept of them."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, DeviceManager

from auth_core.fields import EncryptedTextField
from auth_core.ids import uuid7
from auth_core.one_time import spend
from auth_mfa import totp
from auth_mfa.conf import mfa

#: Before every time step there is.
_NO_STEP = -1


class TotpFactorQuerySet(models.QuerySet["TotpFactor"]):
    """Questions about factors; one that is begun is none yet."""

    def of(self, user: Any) -> Self:
        """Return what *user* has confirmed; nobody has nothing."""
        return self.filter(user_id=None if user is None else user.pk, confirmed=True)

    def begun_by(self, user: Any) -> Self:
        """Return what *user* has begun and may still confirm; judged here, never by a sweeper."""
        return self.filter(user=user, confirmed=False, created_at__gt=timezone.now() - mfa.ENROLMENT_LIFETIME)


class TotpFactor(Device):  # type: ignore[misc]  # django-otp is untyped
    """An authenticator app that holds a key which we hold, too.

    django-otp's `Device`, so that whatever walks over a person's devices finds it, with
    three differences: it begins unconfirmed, its key is encrypted for this row alone,
    and each time step is spent by one conditional statement.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # As in Device, without a name for the way back: it would be one on every user model there is.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("user")
    )
    confirmed = models.BooleanField(_("confirmed"), default=False, help_text=_("Whether a code of it was proved once."))
    seed = EncryptedTextField(purpose="auth_mfa.totp.seed", help_text=_("The shared key in Base32, encrypted."))
    last_step = models.BigIntegerField(default=_NO_STEP, help_text=_("The time step that was spent last."))
    failures = models.PositiveSmallIntegerField(
        _("failures"), default=0, help_text=_("Wrong codes in a row; a right one sets it back.")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)

    objects = DeviceManager.from_queryset(TotpFactorQuerySet)()

    class Meta:
        verbose_name = _("authenticator app")
        verbose_name_plural = _("authenticator apps")
        indexes = [
            models.Index(fields=["created_at"], condition=Q(confirmed=False), name="auth_mfa_totp_begun"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"

    @property
    def key(self) -> bytes:
        """The shared key."""
        return totp.from_base32(self.seed)

    @property
    def is_exhausted(self) -> bool:
        """Whether it failed so often in a row that it answers no more."""
        return self.failures >= mfa.MAX_FAILURES

    def spend_guess(self) -> bool:
        """Pay for one guess before it is looked at; say whether one was left of those in a row."""
        left = TotpFactor.objects.filter(pk=self.pk, failures__lt=mfa.MAX_FAILURES)
        return spend(left, failures=F("failures") + 1)

    def spend_step(self, step: int) -> bool:
        """Spend a time step, once, and forget the failures before it.

        Of fifty right answers at once the database lets one raise the step; for the
        others it is not greater any more (RFC 6238 section 5.2).
        """
        unspent = TotpFactor.objects.filter(pk=self.pk, last_step__lt=step)
        return spend(unspent, last_step=step, failures=0, last_used_at=timezone.now())

    def verify_token(self, token: str) -> bool:
        """Say whether *token* is right and was not used; for whoever asks as django-otp does."""
        step = self.step_of(token)
        return self.spend_guess() and step is not None and self.spend_step(step)

    def step_of(self, code: str) -> int | None:
        """Return the time step at which *code* is right now, be it spent or not."""
        return totp.matching_step(self.key, code, at=timezone.now().timestamp(), tolerance=mfa.TOTP_TOLERANCE)
