"""The document by which a client describes itself."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from auth_core.oauth.conf import application_model


class ClientDocument(models.Model):
    """The document of one application whose id is an address, as it was read last.

    The application has what it says. The row has when it was read, until when that counts, and the digest of all of it, so
    that people are asked again when anything in it changes.
    """

    application = models.OneToOneField(
        application_model(), on_delete=models.CASCADE, related_name="auth_document", verbose_name=_("application")
    )
    digest = models.CharField(_("digest"), max_length=64, help_text=_("SHA-256 of the document, in hex."))
    read_at = models.DateTimeField(_("read at"))
    expires_at = models.DateTimeField(_("expires at"), help_text=_("From then on it is read again before it is used."))
    used_at = models.DateTimeField(
        _("used at"), db_index=True, help_text=_("When a person last came from the client, to within an hour.")
    )

    class Meta:
        verbose_name = _("client document")
        verbose_name_plural = _("client documents")

    def __str__(self) -> str:
        return str(self.pk)
