"""Passkeys and security keys. No column is secret."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_otp.models import DeviceManager

from auth_core.assurance.methods import WEBAUTHN_METHODS
from auth_core.crypto.secrets import digest, spend
from auth_mfa.models.factor import Factor, FactorQuerySet

#: Length of the longest credential id: 1023 bytes in base64url (WebAuthn Level 3 section 7.1, step 25).
MAX_ID_LENGTH = 1364


class WebauthnQuerySet(FactorQuerySet):
    """Queries for credentials."""

    def with_id(self, credential_id: str) -> Any:
        """Return the credential with this id, which is unique over all users."""
        return self.filter(credential_digest=digest(credential_id))


class WebauthnFactor(Factor):
    """The public half of a key pair whose private half is in the user's authenticator.

    The row is confirmed from the start, because the registration proves the key. A passkey
    is discoverable, or synced by a passkey provider. A security key is neither, and only a
    second factor.
    """

    method = models.CharField(  # type: ignore[assignment]  # a column here, a constant of the class elsewhere
        _("method"), max_length=16, choices=[(method.value, method.value) for method in WEBAUTHN_METHODS]
    )
    credential_id = models.CharField(
        max_length=MAX_ID_LENGTH, help_text=_("The authenticator's id of the credential, base64url.")
    )
    # The id itself is longer than PostgreSQL indexes.
    credential_digest = models.CharField(max_length=64, unique=True, help_text=_("SHA-256 of the id, in hex."))
    public_key = models.TextField(help_text=_("COSE key, base64url."))
    sign_count = models.BigIntegerField(default=0, help_text=_("The last signature counter. 0 if it does not count."))
    aaguid = models.UUIDField(help_text=_("The claimed model of the authenticator, without attestation."))
    transports = models.JSONField(default=list, help_text=_("How browsers can reach it."))
    backup_eligible = models.BooleanField(_("backup eligible"), help_text=_("Whether it may leave its device."))
    backup_state = models.BooleanField(_("backed up"), help_text=_("Whether it is backed up, as last reported."))
    user_verified = models.BooleanField(
        help_text=_("Whether it verified its user at registration, or later in a login with the password.")
    )
    discoverable = models.BooleanField(help_text=_("Whether it can be used without a user name."))

    objects = DeviceManager.from_queryset(WebauthnQuerySet)()

    class Meta:
        verbose_name = _("passkey or security key")
        verbose_name_plural = _("passkeys and security keys")

    def spend_count(self, count: int, *, backup_state: bool) -> bool:
        """Raise the signature counter to *count*. Return whether it rose, or stays zero as for most passkeys.

        One conditional statement decides. Of two assertions with the same count, which only a
        copied key can make, one is accepted (WebAuthn Level 3 section 6.1.1).
        """
        before = Q(sign_count__lt=count) if count else Q(sign_count=0)
        unspent = WebauthnFactor.objects.filter(before, pk=self.pk)
        return spend(unspent, sign_count=count, backup_state=backup_state)

    def note_verification(self) -> None:
        """Record that it verified its user in a login that also proved a password."""
        WebauthnFactor.objects.filter(pk=self.pk, user_verified=False).update(user_verified=True)
