"""Resource servers: what tokens are for (RFC 8707)."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7
from auth_core.oauth.conf import application_model
from auth_core.oauth.models.application_policy import TokenFormat


class Resource(models.Model):
    """A resource server. Its URI is the `aud` of tokens for it. A request for an unknown one is refused."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    uri = models.CharField(
        _("URI"), max_length=512, unique=True, help_text=_("Absolute URI without fragment or last slash.")
    )
    name = models.CharField(_("name"), max_length=255, blank=True, help_text=_("What people read before they consent."))
    application = models.ForeignKey(
        application_model(),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="auth_resources",
        verbose_name=_("application"),
        help_text=_("The application that owns it. It may introspect its tokens."),
    )
    scopes = models.JSONField(
        _("scopes"), default=dict, blank=True, help_text=_("Scopes, each with the sentence that the consent shows.")
    )
    token_format = models.CharField(
        _("format of access tokens"),
        max_length=8,
        blank=True,
        choices=TokenFormat.choices,
        help_text=_("Empty: as the application that asks."),
    )
    signing_algorithm = models.CharField(
        _("signing algorithm"),
        max_length=8,
        default="ES256",
        choices=[(name, name) for name in ("ES256", "RS256")],
        help_text=_("RS256 for a server that cannot verify ES256."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("resource")
        verbose_name_plural = _("resources")

    def __str__(self) -> str:
        return self.uri
