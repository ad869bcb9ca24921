"""The entry: an event as the trail keeps it."""

from typing import Any, NoReturn

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7


class TrailIsAppendOnly(Exception):
    """Somebody tried to change or remove an entry; the database would refuse as well."""


class EntryQuerySet(models.QuerySet["AuditEntry"]):
    """Reads entries; it has no verb that changes one."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refuse.

        Raises:
            TrailIsAppendOnly: always.
        """
        raise TrailIsAppendOnly

    def delete(self) -> NoReturn:
        """Refuse.

        Raises:
            TrailIsAppendOnly: always.
        """
        raise TrailIsAppendOnly

    delete.queryset_only = True  # type: ignore[attr-defined]  # Django's own mark for verbs a manager must not copy


class AuditEntry(models.Model):
    """Something that happened; written once, in the transaction of the change it tells of.

    No foreign keys: an entry outlives what it speaks of. People are named by the random
    id that the world knows them by.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=64, help_text=_("Of the event, as its catalogue declares it."))
    severity = models.CharField(_("severity"), max_length=8)
    retention = models.CharField(_("retention class"), max_length=16)
    outcome = models.CharField(_("outcome"), max_length=8)
    reason = models.CharField(_("reason"), max_length=64, blank=True, help_text=_("A closed word."))
    subject_id = models.UUIDField(_("subject"), null=True, blank=True, help_text=_("Whom it happened to."))
    actor_id = models.UUIDField(_("actor"), null=True, blank=True, help_text=_("Who did it, if somebody else."))
    on_behalf_of = models.UUIDField(_("on behalf of"), null=True, blank=True)
    session_id = models.UUIDField(_("session"), null=True, blank=True)
    application_id = models.UUIDField(_("application"), null=True, blank=True)
    target_kind = models.CharField(_("kind of target"), max_length=64, blank=True)
    target_id = models.CharField(_("target"), max_length=255, blank=True)
    changes = models.JSONField(_("changes"), default=dict, blank=True, help_text=_("Fields, before and after."))
    data = models.JSONField(_("data"), default=dict, blank=True, help_text=_("What the catalogue declares besides."))
    ip = models.GenericIPAddressField(_("address"), null=True, blank=True)
    network = models.CharField(_("network"), max_length=49, blank=True)
    user_agent = models.CharField(_("user agent"), max_length=512, blank=True)
    correlation_id = models.CharField(_("correlation id"), max_length=64)
    client_request_id = models.CharField(_("client's request id"), max_length=64, blank=True)
    recorded_at = models.DateTimeField(
        _("recorded at"), db_default=Now(), editable=False, help_text=_("By the clock of the database.")
    )
    transaction_id = models.BigIntegerField(
        _("transaction"), null=True, editable=False, help_text=_("PostgreSQL's id of the transaction; set by it.")
    )
    mac = models.CharField(_("MAC"), max_length=64, help_text=_("HMAC-SHA-256 over what is stored, in hex."))
    mac_key = models.CharField(_("MAC key"), max_length=32, help_text=_("Id of the field key it is made with."))

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["subject_id", "-id"], name="auth_audit_subject"),
            models.Index(fields=["actor_id", "-id"], name="auth_audit_actor"),
            models.Index(fields=["name", "-id"], name="auth_audit_name"),
            models.Index(fields=["session_id", "-id"], name="auth_audit_session"),
            models.Index(fields=["correlation_id", "-id"], name="auth_audit_correlation"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; an entry that stands is never written again.

        Raises:
            TrailIsAppendOnly: it stands already.
        """
        if not self._state.adding:
            raise TrailIsAppendOnly
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse.

        Raises:
            TrailIsAppendOnly: always.
        """
        raise TrailIsAppendOnly
