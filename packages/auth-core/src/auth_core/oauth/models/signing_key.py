"""Keys that sign tokens."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.fields import EncryptedTextField
from auth_core.ids import uuid7


class SigningKey(models.Model):
    """A private key for one algorithm. It is published from its creation, and signs later.

    The key that signs is the newest one whose `signs_from` has passed. The one before stays published until the last token
    that it signed has expired.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kid = models.CharField(_("key id"), max_length=64, unique=True, help_text=_("RFC 7638 thumbprint."))
    algorithm = models.CharField(_("algorithm"), max_length=8)
    private_key = EncryptedTextField(_("private key"), purpose="auth_oauth.signing_key")
    created_at = models.DateTimeField(_("published at"), default=timezone.now, editable=False)
    signs_from = models.DateTimeField(_("signs from"))
    published_until = models.DateTimeField(
        _("published until"), null=True, blank=True, help_text=_("Empty: no other key has followed.")
    )

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        indexes = [models.Index(fields=["algorithm", "signs_from"], name="auth_oauth_current_key")]

    def __str__(self) -> str:
        return self.kid
