"""Authenticator apps."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.methods import Method
from auth_core.crypto.secrets import spend
from auth_core.fields import EncryptedTextField
from auth_mfa import oath
from auth_mfa.conf import mfa
from auth_mfa.models.factor import Factor

#: Lower than every time step.
_NO_STEP = -1


class TotpFactor(Factor):
    """An authenticator app that shares a key with this service.

    The key is encrypted for this row only. One conditional statement spends each time step.
    """

    method = Method.TOTP

    seed = EncryptedTextField(purpose="auth_mfa.totp.seed", help_text=_("The shared key in Base32, encrypted."))
    last_step = models.BigIntegerField(default=_NO_STEP, help_text=_("The last time step that was spent."))

    class Meta:
        verbose_name = _("authenticator app")
        verbose_name_plural = _("authenticator apps")
        indexes = [
            models.Index(fields=["created_at"], condition=Q(confirmed=False), name="auth_mfa_totp_begun"),
        ]

    @property
    def key(self) -> bytes:
        """The shared key."""
        return oath.from_base32(self.seed)

    def spend_step(self, step: int) -> bool:
        """Spend a time step, once, and reset the failures.

        Of many concurrent correct answers only one can raise the step. For the others the
        step is no longer greater (RFC 6238 section 5.2).
        """
        unspent = TotpFactor.objects.filter(pk=self.pk, last_step__lt=step)
        return spend(unspent, last_step=step, failures=0, last_used_at=timezone.now())

    def verify_token(self, token: str) -> bool:
        """Return whether *token* is correct and unused. This is the interface of django-otp."""
        step = self.step_of(token)
        return self.spend_guess() and step is not None and self.spend_step(step)

    def step_of(self, code: str) -> int | None:
        """Return the time step of *code*, spent or not, or ``None`` if it is wrong now."""
        return oath.matching_step(self.key, code, at=timezone.now().timestamp(), tolerance=mfa.TOTP_TOLERANCE)
