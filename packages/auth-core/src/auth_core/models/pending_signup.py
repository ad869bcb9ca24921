"""Pending sign-ups: the address is not verified yet."""

from datetime import timedelta
from uuid import UUID

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from auth_core.conf import core
from auth_core.crypto.secrets import code_digest, digest, same
from auth_core.ids import uuid7
from auth_core.models.one_time_link import OneTimeLink, OneTimeLinkQuerySet


class PendingSignupQuerySet(OneTimeLinkQuerySet):
    """Queries for sign-ups."""

    def wait(self, *, address: str, key: str, password_hash: str, browser_secret: str, code: str) -> "PendingSignup":
        """Return a saved sign-up whose address is to be verified, by `token` or by *code*."""
        row_id = uuid7()
        signup: PendingSignup = self.open(
            pk=row_id,
            address=address,
            key=key,
            password_hash=password_hash,
            browser_digest=digest(browser_secret) if browser_secret else "",
            code_digest=_digest_of(code, row_id),
            attempts_left=core.SIGNUP_CODE_ATTEMPTS,
        )
        return signup

    def newest(self, *, key: str, browser_secret: str) -> "PendingSignup | None":
        """Return the last sign-up of this browser with this address, if it still accepts a code.

        Without a secret there is none. If the last one has no attempts left there is none
        either, because another mail would bring a code that is refused.
        """
        signups = self.live().filter(key=key, browser_digest=digest(browser_secret)).order_by("-created_at", "-pk")
        signup: PendingSignup | None = signups.first()
        return signup if browser_secret and signup is not None and signup.attempts_left else None


class PendingSignup(OneTimeLink):
    """A sign-up without a user. The account is created when the address is verified.

    This prevents squatting on an address: several sign-ups may wait with the same one, and
    the owner of the mailbox decides which becomes the account.
    """

    prefix = "els"

    address = models.CharField(_("address"), max_length=320, help_text=_("Address for delivery, domain as A-labels."))
    key = models.CharField(_("key"), max_length=320, help_text=_("The address in lower case, for comparison."))
    password_hash = models.CharField(max_length=256, help_text=_("Hash of the chosen password."))
    code_digest = models.CharField(max_length=64, help_text=_("HMAC of the code, under a key of the site."))
    browser_digest = models.CharField(
        max_length=64, blank=True, help_text=_("SHA-256 of the secret of the browser that signed up.")
    )
    attempts_left = models.PositiveSmallIntegerField(help_text=_("Remaining codes."))

    objects = PendingSignupQuerySet.as_manager()  # type: ignore[misc]  # the base class has the plain one

    class Meta:
        verbose_name = _("pending sign-up")
        verbose_name_plural = _("pending sign-ups")
        indexes = [models.Index(fields=["key", "-created_at"], name="auth_core_signup_key")]

    @classmethod
    def lifetime(cls) -> timedelta:
        """Return `SIGNUP_LIFETIME`."""
        return core.SIGNUP_LIFETIME

    def is_of_browser(self, secret: str) -> bool:
        """Return whether *secret* belongs to the browser that signed up."""
        return bool(secret and self.browser_digest) and same(self.browser_digest, digest(secret))

    def has_code(self, code: str) -> bool:
        """Return whether *code* is the mailed code."""
        return same(self.code_digest, _digest_of(code, self.pk))

    def spend_attempt(self) -> bool:
        """Use up one attempt before the code is checked. Return whether one was left."""
        row = PendingSignup.objects.live().filter(pk=self.pk, attempts_left__gt=0)
        return bool(row.update(attempts_left=F("attempts_left") - 1))

    def renew_proofs(self, code: str) -> bool:
        """Set a new token and *code* for another mail. The remaining attempts stay the same.

        Returns:
            Whether the sign-up is still waiting.
        """
        self.renew()
        self.code_digest = _digest_of(code, self.pk)
        row = PendingSignup.objects.live().filter(pk=self.pk)
        return bool(row.update(token_digest=self.token_digest, code_digest=self.code_digest))


def _digest_of(code: str, row_id: UUID) -> str:
    """Return the digest of *code*, bound to the row."""
    return code_digest(code, context=f"signup.{row_id}")
