"""Factors to which a code is sent: telephones and mailboxes."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.methods import Method
from auth_core.fields import EncryptedTextField
from auth_mfa.models.factor import Factor


class PhoneFactor(Factor):
    """A telephone that takes text messages; its number is encrypted for this row alone."""

    method = Method.SMS_CODE

    number = EncryptedTextField(purpose="auth_mfa.phone.number", help_text=_("The number as E.164, encrypted."))

    class Meta:
        verbose_name = _("telephone")
        verbose_name_plural = _("telephones")
        indexes = [models.Index(fields=["created_at"], condition=Q(confirmed=False), name="auth_mfa_phone_begun")]

    @property
    def destination(self) -> str:
        """Where codes go."""
        return str(self.number)

    @property
    def hint(self) -> str:
        """What may be shown of the number: its last two digits."""
        return f"•••• {self.number[-2:]}"


class EmailFactor(Factor):
    """A mailbox; meets "any second factor" and never AAL2 (SP 800-63B-4 section 3.1.3)."""

    method = Method.EMAIL_CODE

    address = EncryptedTextField(purpose="auth_mfa.email.address", help_text=_("The address, encrypted."))

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")
        indexes = [models.Index(fields=["created_at"], condition=Q(confirmed=False), name="auth_mfa_email_begun")]

    @property
    def destination(self) -> str:
        """Where codes go."""
        return str(self.address)

    @property
    def hint(self) -> str:
        """What may be shown of the address: how it begins, and where it is."""
        return masked_address(self.address)


def masked_address(address: str) -> str:
    """Return what may be shown of *address* to whoever knows a password: one letter and the domain."""
    local, _at, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"
