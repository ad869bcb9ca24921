"""Outgoing messages: a row is written with the change and delivered after it."""

from datetime import datetime
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7


class OutboxQuerySet(models.QuerySet["OutboxMessage"]):
    """Queries of a relay."""

    def due(self, now: datetime) -> Self:
        """Return the messages to send now: not settled and not claimed."""
        return self.idle(now).filter(due_at__lte=now)

    def idle(self, now: datetime) -> Self:
        """Return the messages that are not settled and not claimed, including those that wait for a retry."""
        return self.filter(Q(claimed_until=None) | Q(claimed_until__lte=now), settled_at=None)

    def settled_before(self, moment: datetime) -> Self:
        """Return the messages delivered or given up before *moment*."""
        return self.filter(settled_at__lt=moment)

    def claim(self, message_id: UUID, *, now: datetime, until: datetime) -> bool:
        """Claim a message for this relay with one conditional statement. An expired claim can be taken over."""
        due = self.due(now).filter(pk=message_id)
        return due.update(claimed_until=until, attempts=F("attempts") + 1) == 1


class OutboxMessage(models.Model):
    """An outgoing message: a mail, an SMS, a webhook.

    The secret part (a link, a code, an address, a number) is encrypted for this row alone. It is
    erased when the message is delivered, expired or given up.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False, help_text=_("Also the idempotency key."))
    channel = models.CharField(max_length=32, help_text=_("Delivery channel, such as `email`."))
    template = models.CharField(max_length=100)
    values = models.JSONField(default=dict, help_text=_("Values for the template. Nothing secret or personal."))
    secret = models.TextField(blank=True, help_text=_("Ciphertext. Empty once the message is settled."))
    secret_expires_at = models.DateTimeField(null=True, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    due_at = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=16, blank=True, help_text=_("`delivered`, `expired` or `dead`."))
    problem = models.CharField(max_length=100, blank=True, help_text=_("Type of the last error."))

    objects = OutboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("outgoing message")
        verbose_name_plural = _("outgoing messages")
        indexes = [models.Index(fields=["due_at"], condition=Q(settled_at=None), name="auth_core_outbox_due")]

    def __str__(self) -> str:
        return f"{self.channel} {self.template} {self.pk}"
