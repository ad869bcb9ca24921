"""One-time links, mailed or printed, each for one purpose."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from auth_core.conf import core
from auth_core.models.identity import EmailAddress
from auth_core.models.one_time_link import OneTimeLink


class EmailVerification(OneTimeLink):
    """Verifies an address of an existing account."""

    prefix = "elv"

    email_address = models.ForeignKey(
        EmailAddress,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        help_text=_("Empty: no account has the address, and the link verifies nothing."),
    )

    class Meta:
        verbose_name = _("email verification")
        verbose_name_plural = _("email verifications")

    @classmethod
    def lifetime(cls) -> timedelta:
        """Return `SIGNUP_LIFETIME`, because it is the same proof."""
        return core.SIGNUP_LIFETIME


class ResetLink(OneTimeLink):
    """Sets a new password, and nothing else: it does not sign in or reopen a closed account.

    It becomes invalid when the account changes. Another password or address changes
    `state_digest`, and another second factor spends the link.
    """

    prefix = "elr"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        help_text=_("Empty: unknown person, and the link resets nothing."),
    )
    state_digest = models.CharField(
        max_length=64, help_text=_("HMAC of password and address at the time of the request.")
    )

    class Meta:
        verbose_name = _("reset link")
        verbose_name_plural = _("reset links")

    @classmethod
    def lifetime(cls) -> timedelta:
        """Return `RESET_LIFETIME`."""
        return core.RESET_LIFETIME


class Invitation(OneTimeLink):
    """Lets the owner of an address create an account with it."""

    prefix = "eli"

    address = models.CharField(_("address"), max_length=320, help_text=_("Address for delivery, domain as A-labels."))
    key = models.CharField(
        _("key"), max_length=320, db_index=True, help_text=_("The address in lower case, for comparison.")
    )
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("invited by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    @classmethod
    def lifetime(cls) -> timedelta:
        """Return `INVITATION_LIFETIME`."""
        return core.INVITATION_LIFETIME


class BootstrapLink(OneTimeLink):
    """Creates the first administrator. There is only one row, so that one link is valid at a time."""

    prefix = "elf"

    slot = models.PositiveSmallIntegerField(unique=True, default=1, editable=False)

    class Meta:
        verbose_name = _("first administrator's link")
        verbose_name_plural = _("first administrator's links")

    @classmethod
    def lifetime(cls) -> timedelta:
        """Return `BOOTSTRAP_LIFETIME`."""
        return core.BOOTSTRAP_LIFETIME
