"""What a person has agreed to, so that the same application need not ask again."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7
from auth_core.oauth.conf import application_model


class Consent(models.Model):
    """The consent of one person for one application, remembered for each scope.

    `shown_digest` is that of everything the page showed. If the application or a scope changes, the page asks again.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="auth_consents", db_index=False
    )
    application = models.ForeignKey(application_model(), on_delete=models.CASCADE, related_name="auth_consents")
    scope = models.TextField(_("scope"), blank=True, help_text=_("Scopes, separated by spaces."))
    resources = models.JSONField(_("resources"), default=list)
    shown_digest = models.CharField(_("digest of what was shown"), max_length=64)
    given_at = models.DateTimeField(_("given at"), default=timezone.now)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            models.UniqueConstraint(fields=["user", "application"], name="auth_oauth_one_consent"),
        ]

    def __str__(self) -> str:
        return str(self.id)
