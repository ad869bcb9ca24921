"""A link that goes out in a mail and is good for one thing, once."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.crypto.secrets import digest, new_secret, spend
from auth_core.errors import LinkInvalid
from auth_core.ids import uuid7

#: Rows that one statement deletes.
_BATCH = 1000


class OneTimeLinkQuerySet(models.QuerySet[Any]):
    """One verb per use; nothing else makes, finds or spends a link."""

    def open(self, **columns: Any) -> Any:
        """Return a saved link; `token` of it is for the mail and for nothing else."""
        link = self.model(expires_at=timezone.now() + self.model.lifetime(), **columns)
        link.renew()
        link.save(force_insert=True)
        return link

    def live(self) -> Self:
        """Return links that are neither spent nor expired; expiry is judged here, never by a sweeper."""
        return self.filter(spent_at=None, expires_at__gt=timezone.now())

    def find(self, token: str) -> Any:
        """Return the live link that *token* opens.

        Raises:
            LinkInvalid: unknown, spent, expired, or a link of another kind. They all look the same.
        """
        link = self.live().filter(token_digest=digest(token)).first()
        if link is None:
            raise LinkInvalid
        link.token = token
        return link

    def spend(self) -> int:
        """Spend all of these that are live; return how many that were."""
        return self.live().update(spent_at=timezone.now())


class OneTimeLink(models.Model):
    """What all mailed links have in common; each kind has a table of its own.

    One table for all kinds would need one forgotten condition to let an invitation
    reset a password (CVE-2026-4282).
    """

    #: Tells scanners of leaked secrets, and us, whose secret this is.
    prefix: ClassVar[str]

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    token_digest = models.CharField(max_length=64, unique=True, help_text=_("SHA-256 of the token, in hex."))
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"), db_index=True)
    spent_at = models.DateTimeField(_("spent at"), null=True, blank=True)

    #: The bearer's secret; known only to the request that made the link or followed it.
    token: str = ""

    objects = OneTimeLinkQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.pk)

    @classmethod
    def lifetime(cls) -> timedelta:
        """Return how long such a link is good for."""
        raise NotImplementedError

    def renew(self) -> None:
        """Take another token; the one before is worth nothing once this is saved."""
        self.token = new_secret(self.prefix)
        self.token_digest = digest(self.token)

    def spend(self) -> bool:
        """Spend it, by one conditional statement; say whether this caller was the one who did."""
        return spend(type(self)._default_manager.live().filter(pk=self.pk), spent_at=timezone.now())


def delete_expired_links() -> int:
    """Delete links of every kind that expired a day ago, in batches; return how many."""
    long_ago = timezone.now() - timedelta(days=1)
    return sum(_delete(kind._default_manager.filter(expires_at__lt=long_ago)) for kind in OneTimeLink.__subclasses__())


def _delete(rows: Any) -> int:
    deleted = 0
    while keys := list(rows.values_list("pk", flat=True)[:_BATCH]):
        deleted += rows.filter(pk__in=keys).delete()[0]
    return deleted
