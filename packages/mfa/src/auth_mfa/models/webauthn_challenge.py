"""Challenges for authenticators, each for one ceremony, one user and one occasion."""

import secrets
from datetime import timedelta
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.crypto.secrets import digest, spend
from auth_core.ids import uuid7
from auth_core.runtime.batches import delete_in_batches
from auth_core.users import UserLike

#: How long a challenge is valid. Browsers get the same `timeout`.
LIFETIME = timedelta(minutes=5)

#: Random bytes of a challenge; WebAuthn Level 3 section 13.4.3 asks for 16, SP 800-63B-4 section 3.1.6.2 for 8.
_BYTES = 32


class Ceremony(StrEnum):
    """The only purpose that a challenge serves."""

    REGISTRATION = "registration"
    SECOND_FACTOR = "second_factor"
    FIRST_FACTOR = "first_factor"


class WebauthnChallengeManager(models.Manager["WebauthnChallenge"]):
    """One verb per use."""

    def issue(
        self,
        *,
        purpose: Ceremony,
        user: UserLike | None = None,
        occasion: UUID | None = None,
        browser_digest: str = "",
        transport: str = "",
        application_id: UUID | None = None,
    ) -> "WebauthnChallenge":
        """Store a new challenge. It replaces the previous one of the same occasion."""
        if occasion is not None:
            self.filter(occasion=occasion, purpose=purpose.value).delete()
        return self.create(
            challenge=new_challenge(),
            purpose=purpose.value,
            user=cast("Any", user),
            occasion=occasion,
            browser_digest=browser_digest,
            transport=transport,
            application_id=application_id,
            expires_at=timezone.now() + LIFETIME,
        )

    def live(self, *, purpose: Ceremony, user: UserLike, occasion: UUID) -> "WebauthnChallenge | None":
        """Return the live challenge of an occasion, or ``None``. Expiry is checked here, not by a sweep."""
        return (
            self.filter(
                occasion=occasion,
                purpose=purpose.value,
                user_id=user.pk,
                spent_at=None,
                expires_at__gt=timezone.now(),
            )
            .order_by("-pk")
            .first()
        )

    def end_all_of(self, user: UserLike) -> int:
        """Spend all unanswered challenges of *user* and return their number, so that begun registrations end."""
        # By the instance, which must be saved: the key of an unsaved user would match the challenges without a user.
        return self.filter(user=cast("Any", user), spent_at=None).update(spent_at=timezone.now())


class WebauthnChallenge(models.Model):
    """A challenge that an authenticator signs once.

    It is bound to its purpose, the user, the occasion (the pending login, or the session
    that adds a passkey), the application, and the browser if that has a secret. The answer
    to one login is not valid in another, even with a correct signature.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    challenge = models.CharField(max_length=43, unique=True, help_text=_("256 random bits, base64url."))
    purpose = models.CharField(max_length=16, choices=[(purpose.value, purpose.value) for purpose in Ceremony])
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text=_("Empty if not known yet."),
    )
    occasion = models.UUIDField(null=True, help_text=_("The pending login or the session that it was made for."))
    browser_digest = models.CharField(
        max_length=64, blank=True, help_text=_("SHA-256 of the browser's secret. Empty with a token.")
    )
    transport = models.CharField(
        max_length=8, blank=True, help_text=_("The transport of the session that it may open.")
    )
    application_id = models.UUIDField(
        null=True, blank=True, help_text=_("Public id of the application that the login is for.")
    )
    expires_at = models.DateTimeField(db_index=True)
    spent_at = models.DateTimeField(null=True, blank=True)

    objects = WebauthnChallengeManager()

    class Meta:
        verbose_name = _("challenge for an authenticator")
        verbose_name_plural = _("challenges for authenticators")
        indexes = [models.Index(fields=["occasion", "purpose"], name="auth_mfa_challenge_of")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"

    def spend(
        self,
        *,
        purpose: Ceremony,
        user: UserLike | None,
        occasion: UUID | None,
        browser_digest: str,
        application_id: UUID | None = None,
    ) -> bool:
        """Spend the challenge, once, in its own context. Return whether this call spent it.

        The condition of the one statement names everything that the challenge is bound to,
        because the caller may have read another user's challenge.
        """
        unspent = WebauthnChallenge.objects.filter(
            pk=self.pk,
            purpose=purpose.value,
            user=cast("Any", user),
            occasion=occasion,
            browser_digest=browser_digest,
            application_id=application_id,
            spent_at=None,
            expires_at__gt=timezone.now(),
        )
        return spend(unspent, spent_at=timezone.now())


def new_challenge() -> str:
    """Return a new random challenge in base64url."""
    return secrets.token_urlsafe(_BYTES)


def digest_of(browser_secret: str) -> str:
    """Return the digest of a browser's secret, or an empty string if there is none."""
    return digest(browser_secret) if browser_secret else ""


def delete_expired() -> int:
    """Delete expired challenges. Expiry itself is checked when a challenge is spent."""
    return delete_in_batches(WebauthnChallenge.objects.filter(expires_at__lte=timezone.now()))
