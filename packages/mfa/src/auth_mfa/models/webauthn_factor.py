"""Passkeys and security keys, and what is kept of them: nothing secret."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_otp.models import DeviceManager

from auth_core.assurance.methods import Method
from auth_core.crypto.secrets import digest, spend
from auth_mfa.models.factor import Factor, FactorQuerySet

#: The longest id that a credential may have: 1023 bytes in base64url (WebAuthn Level 3 section 7.1, step 25).
MAX_ID_LENGTH = 1364

#: The two methods that a row of this table may be.
METHODS = (Method.PASSKEY, Method.SECURITY_KEY)


class WebauthnQuerySet(FactorQuerySet):
    """Finding a credential by the id that its authenticator gave it."""

    def with_id(self, credential_id: str) -> Any:
        """Return the credential of this id, whosever it is; ids have no two owners."""
        return self.filter(credential_digest=digest(credential_id))


class WebauthnFactor(Factor):
    """A key pair of which the person's authenticator holds the private half.

    There from the first moment, confirmed: its registration is its proof. A passkey
    is found by the authenticator itself, or is kept by a provider of passkeys; a
    security key is neither, and only ever a second factor.
    """

    method = models.CharField(  # type: ignore[assignment]  # what a kind has elsewhere, each row has here
        _("method"), max_length=16, choices=[(method.value, method.value) for method in METHODS]
    )
    credential_id = models.CharField(max_length=MAX_ID_LENGTH, help_text=_("As the authenticator named it, base64url."))
    # The id itself is longer than PostgreSQL indexes.
    credential_digest = models.CharField(max_length=64, unique=True, help_text=_("SHA-256 of the id, in hex."))
    public_key = models.TextField(help_text=_("COSE key, base64url."))
    sign_count = models.BigIntegerField(default=0, help_text=_("How often it signed, as it said last; 0: it does not."))
    aaguid = models.UUIDField(help_text=_("The model of the authenticator, as it says; nobody attests it."))
    transports = models.JSONField(default=list, help_text=_("How browsers reach it."))
    backup_eligible = models.BooleanField(_("may be copied"), help_text=_("Whether it may leave its device."))
    backup_state = models.BooleanField(_("is copied"), help_text=_("Whether it has, as it said last."))
    user_verified = models.BooleanField(
        help_text=_("Whether it checked who holds it when it was registered, or beside a password since.")
    )
    discoverable = models.BooleanField(help_text=_("Whether it finds itself when nobody is named."))

    objects = DeviceManager.from_queryset(WebauthnQuerySet)()

    class Meta:
        verbose_name = _("passkey or security key")
        verbose_name_plural = _("passkeys and security keys")

    def spend_count(self, count: int, *, backup_state: bool) -> bool:
        """Raise the signature counter to *count*; say whether it rose, or stays at zero as that of most passkeys does.

        One conditional statement: of two assertions with the same count, which only a copy
        of the key can make, the database lets one through (WebAuthn Level 3 section 6.1.1).
        """
        before = Q(sign_count__lt=count) if count else Q(sign_count=0)
        unspent = WebauthnFactor.objects.filter(before, pk=self.pk)
        return spend(unspent, sign_count=count, backup_state=backup_state)

    def note_verification(self) -> None:
        """Note that it verified its user, in a login that had proved a password as well."""
        WebauthnFactor.objects.filter(pk=self.pk, user_verified=False).update(user_verified=True)
