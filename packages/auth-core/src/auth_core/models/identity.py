"""Data that every user model needs: a public id and verified addresses."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7


class Identity(models.Model):
    """The public identity of a user, created on first use.

    `subject_id` is random (version 4) and the only id of a person that is published. A UUIDv7
    would reveal when the account was created, and a number how many accounts there are.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="auth_identity", verbose_name=_("user")
    )
    subject_id = models.UUIDField(_("subject id"), unique=True, default=uuid4, editable=False)
    locked_at = models.DateTimeField(
        _("locked at"), null=True, blank=True, help_text=_("Start of the lock. Empty: not locked.")
    )
    lock_reason = models.CharField(
        _("lock reason"),
        max_length=32,
        blank=True,
        default="",
        db_default="",
        help_text=_("Reason of the lock. Determines how it ends."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")

    def __str__(self) -> str:
        return str(self.subject_id)


class EmailAddress(models.Model):
    """An address of a person. `key` is the same for all spellings of one mailbox."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="email_addresses", verbose_name=_("user")
    )
    address = models.CharField(_("address"), max_length=320, help_text=_("Address for delivery, domain as A-labels."))
    key = models.CharField(
        _("key"), max_length=320, db_index=True, help_text=_("The address in lower case, for comparison.")
    )
    verified_at = models.DateTimeField(_("verified at"), null=True, blank=True)
    is_primary = models.BooleanField(_("primary"), default=False)
    is_adopted = models.BooleanField(
        _("adopted"),
        default=False,
        db_default=False,
        help_text=_("Copied from the user model, not verified by mail. It counts while the user model still has it."),
    )

    class Meta:
        verbose_name = _("email address")
        verbose_name_plural = _("email addresses")
        constraints = [
            # An address belongs to the person who verified it or signs in with it. An unverified further address does
            # not prevent another person from verifying it (pre-hijacking).
            models.UniqueConstraint(
                fields=["key"],
                condition=Q(verified_at__isnull=False) | Q(is_primary=True),
                name="auth_core_email_one_owner",
            ),
            models.UniqueConstraint(fields=["user"], condition=Q(is_primary=True), name="auth_core_email_one_primary"),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def is_proved(self) -> bool:
        """Whether it was verified through this package, and not copied from the user model."""
        return self.verified_at is not None and not self.is_adopted
