"""Factors to which a code is sent: phones and mailboxes."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.methods import Method
from auth_core.fields import EncryptedTextField
from auth_mfa.models.factor import Factor


class PhoneFactor(Factor):
    """A phone that receives text messages. Its number is encrypted for this row only."""

    method = Method.SMS_CODE

    number = EncryptedTextField(purpose="auth_mfa.phone.number", help_text=_("The number as E.164, encrypted."))

    class Meta:
        verbose_name = _("phone")
        verbose_name_plural = _("phones")
        indexes = [models.Index(fields=["created_at"], condition=Q(confirmed=False), name="auth_mfa_phone_begun")]

    @property
    def destination(self) -> str:
        """The number that codes are sent to."""
        return str(self.number)

    @property
    def hint(self) -> str:
        """The last two digits of the number, which may be shown."""
        return f"•••• {self.number[-2:]}"


class EmailFactor(Factor):
    """A mailbox. It meets "any second factor" but never AAL2 (SP 800-63B-4 section 3.1.3)."""

    method = Method.EMAIL_CODE

    address = EncryptedTextField(purpose="auth_mfa.email.address", help_text=_("The address, encrypted."))

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")
        indexes = [models.Index(fields=["created_at"], condition=Q(confirmed=False), name="auth_mfa_email_begun")]

    @property
    def destination(self) -> str:
        """The address that codes are sent to."""
        return str(self.address)

    @property
    def hint(self) -> str:
        """The first letter and the domain of the address, which may be shown."""
        return masked_address(self.address)


def masked_address(address: str) -> str:
    """Return the first letter and the domain of *address*, which may be shown after the password is proved."""
    local, _at, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"
