"""The key under which people have another id for each sector."""

from uuid import UUID

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.fields import EncryptedTextField

#: The primary key of the only row. Two processes that make it at once make one.
ONLY = UUID(int=1)


class SubjectKey(models.Model):
    """The secret in pairwise ids. It never changes, because every client has stored ids that were made with it.

    It is encrypted under the field keys, so their rotation writes it anew and changes no id.
    """

    id = models.UUIDField(primary_key=True, default=ONLY, editable=False)
    secret = EncryptedTextField(_("secret"), purpose="auth_oauth.subject_key")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("key of pairwise ids")
        verbose_name_plural = _("keys of pairwise ids")

    def __str__(self) -> str:
        return str(self.id)
