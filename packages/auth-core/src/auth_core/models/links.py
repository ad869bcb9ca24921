"""The links that are mailed, or printed, each good for one thing."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from auth_core.conf import core
from auth_core.models.identity import EmailAddress
from auth_core.models.one_time_link import OneTimeLink


class EmailVerification(OneTimeLink):
    """Proves an address that an account has already."""

    prefix = "elv"

    email_address = models.ForeignKey(
        EmailAddress,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        help_text=_("Empty: nobody's; it proves nothing."),
    )

    class Meta:
        verbose_name = _("e-mail verification")
        verbose_name_plural = _("e-mail verifications")

    @classmethod
    def lifetime(cls) -> timedelta:
        """Return `SIGNUP_LIFETIME`: it is the same proof."""
        return core.SIGNUP_LIFETIME


class ResetLink(OneTimeLink):
    """Sets a new password, and nothing else: it signs nobody in, and opens no account that is closed.

    It dies with the state of the account for which it was asked: another password or
    address makes `state_digest` another one, another second factor spends it.
    """

    prefix = "elr"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        help_text=_("Empty: nobody we know; it resets nothing."),
    )
    state_digest = models.CharField(max_length=64, help_text=_("HMAC of password and address, when it was asked for."))

    class Meta:
        verbose_name = _("reset link")
        verbose_name_plural = _("reset links")

    @classmethod
    def lifetime(cls) -> timedelta:
        """Return `RESET_LIFETIME`."""
        return core.RESET_LIFETIME


class Invitation(OneTimeLink):
    """Lets whoever reads the mails of an address make an account with it."""

    prefix = "eli"

    address = models.CharField(_("address"), max_length=320, help_text=_("Where mail goes; domain as A-labels."))
    key = models.CharField(
        _("key"), max_length=320, db_index=True, help_text=_("The address in lower case; what is compared.")
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
    """Makes the first administrator; there is one row, so that one link is live at a time."""

    prefix = "elf"

    slot = models.PositiveSmallIntegerField(unique=True, default=1, editable=False)

    class Meta:
        verbose_name = _("first administrator's link")
        verbose_name_plural = _("first administrator's links")

    @classmethod
    def lifetime(cls) -> timedelta:
        """Return `BOOTSTRAP_LIFETIME`."""
        return core.BOOTSTRAP_LIFETIME
