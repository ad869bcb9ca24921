"""What any user model needs beside it: an id for the world, and proven addresses."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7


class Identity(models.Model):
    """The person behind a user row, as the world knows them; made when first asked for.

    `subject_id` is random (version 4) and the only id of a person that leaves the
    house: a UUIDv7 would tell when the account was made, a number how many there are.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="auth_identity", verbose_name=_("user")
    )
    subject_id = models.UUIDField(_("subject id"), unique=True, default=uuid4, editable=False)
    locked_at = models.DateTimeField(
        _("locked at"), null=True, blank=True, help_text=_("Since when nobody may sign in; empty: not locked.")
    )
    lock_reason = models.CharField(
        _("lock reason"),
        max_length=32,
        blank=True,
        default="",
        db_default="",
        help_text=_("Why; decides what lifts it."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")

    def __str__(self) -> str:
        return str(self.subject_id)


class EmailAddress(models.Model):
    """An address of a person; `key` is what two spellings of one mailbox have in common."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="email_addresses", verbose_name=_("user")
    )
    address = models.CharField(_("address"), max_length=320, help_text=_("Where mail goes; domain as A-labels."))
    key = models.CharField(
        _("key"), max_length=320, db_index=True, help_text=_("The address in lower case; what is compared.")
    )
    verified_at = models.DateTimeField(_("verified at"), null=True, blank=True)
    is_primary = models.BooleanField(_("primary"), default=False)

    class Meta:
        verbose_name = _("e-mail address")
        verbose_name_plural = _("e-mail addresses")
        constraints = [
            # An address belongs to whoever proved it, or signs in with it. One that was only
            # claimed as a further address keeps nobody else from proving it (pre-hijacking).
            models.UniqueConstraint(
                fields=["key"],
                condition=Q(verified_at__isnull=False) | Q(is_primary=True),
                name="auth_core_email_one_owner",
            ),
            models.UniqueConstraint(fields=["user"], condition=Q(is_primary=True), name="auth_core_email_one_primary"),
        ]

    def __str__(self) -> str:
        return self.address
