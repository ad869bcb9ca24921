"""Secrets that a page shows once, after the form that made them has redirected to it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.crypto.secrets import spend

#: How long a new secret is kept for the page that shows it.
_UNREAD_FOR = timedelta(minutes=10)

#: The columns of a row whose secret was shown.
_SHOWN: dict[str, Any] = {"unread": None, "unread_in": None, "unread_until": None}


class ShownOnce(models.Model):
    """A row whose new secret waits, encrypted, for the page that shows it once.

    A page that showed the secret in its response to a form would make another one on reload. A subclass declares ``unread``,
    an `auth_core.fields.EncryptedTextField` that may be null, because its purpose is that of the row.
    """

    unread: Any

    unread_in = models.UUIDField(null=True, editable=False, help_text=_("The session whose page may show them."))
    unread_until = models.DateTimeField(null=True, editable=False, help_text=_("When they can no longer be shown."))

    class Meta:
        abstract = True

    def keep_unread(self, secret: str, *, session_id: UUID) -> None:
        """Keep *secret* for a page of that session. The caller saves the row."""
        self.unread, self.unread_in, self.unread_until = secret, session_id, timezone.now() + _UNREAD_FOR

    def take_unread(self, *, session_id: UUID) -> str:
        """Return the secret once, and an empty string to later calls.

        One conditional statement decides, so that only one of two concurrent pages shows it.
        """
        unread = self.unread
        rows: Any = type(self)._default_manager
        shown = rows.filter(pk=self.pk, unread__isnull=False, unread_in=session_id, unread_until__gt=timezone.now())
        return str(unread) if unread and spend(shown, **_SHOWN) else ""

    @classmethod
    def wipe_unread(cls) -> int:
        """Wipe the secrets that can no longer be shown, and return the number of rows."""
        return int(cls._default_manager.filter(unread_until__lte=timezone.now()).update(**_SHOWN))
