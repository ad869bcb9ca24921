"""The base of links that are mailed and work once."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.crypto.secrets import digest, new_secret, spend
from auth_core.errors import LinkInvalid
from auth_core.ids import uuid7
from auth_core.runtime.batches import delete_in_batches


class OneTimeLinkQuerySet(models.QuerySet[Any]):
    """One verb per use. Links are created, found and spent only here."""

    def open(self, **columns: Any) -> Any:
        """Return a saved link. Its `token` is for the mail only."""
        link = self.model(expires_at=timezone.now() + self.model.lifetime(), **columns)
        link.renew()
        link.save(force_insert=True)
        return link

    def live(self) -> Self:
        """Return links that are neither spent nor expired. Expiry is checked here, not by a sweep."""
        return self.filter(spent_at=None, expires_at__gt=timezone.now())

    def find(self, token: str) -> Any:
        """Return the live link of *token*.

        Raises:
            LinkInvalid: unknown, spent, expired, or a link of another kind. They all look the same.
        """
        link = self.live().filter(token_digest=digest(token)).first()
        if link is None:
            raise LinkInvalid
        link.token = token
        return link

    def spend(self) -> int:
        """Spend all live links of the queryset. Return their number."""
        return self.live().update(spent_at=timezone.now())


class OneTimeLink(models.Model):
    """Common fields of all mailed links. Each kind has its own table.

    With one table for all kinds, one forgotten condition would let an invitation reset a
    password (CVE-2026-4282).
    """

    #: Identifies the kind of secret, for secret scanners and for us.
    prefix: ClassVar[str]

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    token_digest = models.CharField(max_length=64, unique=True, help_text=_("SHA-256 of the token, in hex."))
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"), db_index=True)
    spent_at = models.DateTimeField(_("spent at"), null=True, blank=True)

    #: The bearer's secret, known only to the request that created or opened the link.
    token: str = ""

    objects = OneTimeLinkQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.pk)

    @classmethod
    def lifetime(cls) -> timedelta:
        """Return the lifetime of links of this kind."""
        raise NotImplementedError

    def renew(self) -> None:
        """Set a new token. The former token is invalid once the link is saved."""
        self.token = new_secret(self.prefix)
        self.token_digest = digest(self.token)

    def spend(self) -> bool:
        """Spend the link with one conditional statement. Return whether this caller spent it."""
        return spend(type(self)._default_manager.live().filter(pk=self.pk), spent_at=timezone.now())


def delete_expired_links() -> int:
    """Delete links of every kind that expired a day ago. Return their number."""
    long_ago = timezone.now() - timedelta(days=1)
    kinds = OneTimeLink.__subclasses__()
    return sum(delete_in_batches(kind._default_manager.filter(expires_at__lt=long_ago)) for kind in kinds)
