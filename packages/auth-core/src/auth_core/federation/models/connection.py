"""Accounts at providers that sign people in."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7

#: Longest subject, in characters (OpenID Connect Core section 2), and longest issuer.
LONGEST_SUBJECT, LONGEST_ISSUER = 255, 512


class Connection(models.Model):
    """An account at a provider that signs a person in.

    The provider, the issuer and the subject identify it, compared exactly. An address never does: addresses change hands.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="provider_connections",
        verbose_name=_("user"),
    )
    provider = models.CharField(_("provider"), max_length=64, help_text=_("The name of the provider in the settings."))
    issuer = models.CharField(_("issuer"), max_length=LONGEST_ISSUER)
    subject = models.CharField(_("subject"), max_length=LONGEST_SUBJECT)
    label = models.CharField(
        _("label"),
        max_length=320,
        blank=True,
        help_text=_("What the provider last called the account, for people to recognise it. It identifies no one."),
    )
    created_at = models.DateTimeField(_("connected at"), default=timezone.now, editable=False)
    used_at = models.DateTimeField(_("last sign-in"), null=True, blank=True)
    disabled_at = models.DateTimeField(
        _("disabled at"), null=True, blank=True, help_text=_("Since when it signs no one in. Empty: it does.")
    )

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        constraints = [
            models.UniqueConstraint(fields=["provider", "issuer", "subject"], name="auth_federation_one_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.id}"
