"""The models: the audit entry, the keys of its personal values, and the tables of the sealer."""

import json
from typing import Any, NoReturn

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from auth_core.fields import EncryptedTextField
from auth_core.ids import uuid7


class TrailIsAppendOnly(Exception):
    """An entry must not be changed or deleted. The database refuses it as well."""


class EntryQuerySet(models.QuerySet["AuditEntry"]):
    """Reads entries. It refuses to change or delete them."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refuse.

        Raises:
            TrailIsAppendOnly: Always.
        """
        raise TrailIsAppendOnly

    def delete(self) -> NoReturn:
        """Refuse.

        Raises:
            TrailIsAppendOnly: Always.
        """
        raise TrailIsAppendOnly

    delete.queryset_only = True  # type: ignore[attr-defined]  # Django's mark for methods that a manager does not copy


class AuditEntry(models.Model):
    """A recorded event, written once, in the transaction of the change.

    There are no foreign keys, because an entry outlives the objects it names. People are identified by their
    random public id. Personal values are encrypted in the column ``personal``. Read them with
    `auth_audit.personal.readable_entry`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=64, help_text=_("Of the event, as its catalogue declares it."))
    severity = models.CharField(_("severity"), max_length=8)
    retention = models.CharField(_("retention class"), max_length=16)
    outcome = models.CharField(_("outcome"), max_length=8)
    reason = models.CharField(_("reason"), max_length=64, blank=True, help_text=_("A closed word."))
    subject_id = models.UUIDField(_("subject"), null=True, blank=True, help_text=_("Public ID of the affected person."))
    actor_id = models.UUIDField(
        _("actor"), null=True, blank=True, help_text=_("Public ID of the person who did it, if another one.")
    )
    on_behalf_of = models.UUIDField(_("on behalf of"), null=True, blank=True)
    session_id = models.UUIDField(_("session"), null=True, blank=True)
    application_id = models.UUIDField(_("application"), null=True, blank=True)
    target_kind = models.CharField(_("kind of target"), max_length=64, blank=True)
    target_id = models.CharField(_("target"), max_length=255, blank=True)
    changes = models.JSONField(
        _("changes"),
        default=dict,
        blank=True,
        help_text=_("Fields, before and after. For lists, what was added and removed. Null for personal values."),
    )
    data = models.JSONField(
        _("data"),
        default=dict,
        blank=True,
        help_text=_("What the catalogue declares besides. Null for personal values."),
    )
    bounds = models.JSONField(
        _("bounds"),
        null=True,
        blank=True,
        help_text=_("What was cut, with the digest of the whole, and which part of several entries this is."),
    )
    personal = models.JSONField(
        _("personal values"),
        default=list,
        blank=True,
        help_text=_("Ciphertexts, one for each person whose values the entry holds. Each names its key."),
    )
    correlation_id = models.CharField(_("correlation id"), max_length=64)
    client_request_id = models.CharField(_("client's request id"), max_length=64, blank=True)
    recorded_at = models.DateTimeField(
        _("recorded at"), db_default=Now(), editable=False, help_text=_("By the clock of the database.")
    )
    transaction_id = models.BigIntegerField(
        _("transaction"), null=True, editable=False, help_text=_("Transaction ID, set by PostgreSQL.")
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
            models.Index(fields=["transaction_id", "id"], name="auth_audit_transaction"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the entry. An existing entry is never written again.

        Raises:
            TrailIsAppendOnly: The entry exists already.
        """
        if not self._state.adding:
            raise TrailIsAppendOnly
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse.

        Raises:
            TrailIsAppendOnly: Always.
        """
        raise TrailIsAppendOnly


class PersonalKey(models.Model):
    """The key of personal values of one entry. Without the row the values cannot be read or searched.

    No MAC and no leaf covers it, so dropping it breaks no proof. `auth_audit.storage.personal_keys` drops it.
    """

    id = models.UUIDField(
        primary_key=True,
        editable=False,
        help_text=_("That of the entry. A second key of the entry has another id of the same time."),
    )
    person_id = models.UUIDField(_("person"), null=True, help_text=_("Public ID of the person whose values they are."))
    address = models.BinaryField(
        _("address"),
        max_length=48,
        null=True,
        help_text=_("Keyed digests of the IP address and its networks, from the widest, for searching."),
    )
    key = EncryptedTextField(_("key"), purpose="auth_audit.personal_key", help_text=_("Random, 256 bits, base64url."))

    class Meta:
        verbose_name = _("key of personal values")
        verbose_name_plural = _("keys of personal values")
        indexes = [
            models.Index(fields=["person_id"], name="auth_audit_person", condition=models.Q(person_id__isnull=False)),
            models.Index(
                fields=["address", "id"], name="auth_audit_address", condition=models.Q(address__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Seal(models.Model):
    """The number of an entry, assigned by the sealer, and the hash of the entry at that time.

    It is separate from the entry, which is never written again. Numbers start at 0 and have no gaps.
    """

    number = models.BigIntegerField(_("number"), primary_key=True)
    entry_id = models.UUIDField(_("entry"), unique=True)
    leaf = models.BinaryField(_("leaf"), max_length=32, help_text=_("SHA-256 over the entry (RFC 6962)."))

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")

    def __str__(self) -> str:
        return f"{self.number} {self.entry_id}"


class TreeNode(models.Model):
    """The hash over 256 nodes of the level below. With it a proof reads only a few hundred hashes."""

    id = models.BigAutoField(primary_key=True)
    level = models.PositiveSmallIntegerField(_("level"), help_text=_("Height over the leaves: 8, 16, 24 …"))
    index = models.BigIntegerField(_("index"), help_text=_("Place in its level."))
    value = models.BinaryField(_("hash"), max_length=32)

    class Meta:
        verbose_name = _("node")
        verbose_name_plural = _("nodes")
        constraints = [models.UniqueConstraint(fields=["level", "index"], name="auth_audit_one_node")]

    def __str__(self) -> str:
        return f"{self.level}/{self.index}"


class Checkpoint(models.Model):
    """A signed checkpoint: the number of sealed entries and the root hash. The text is stored as it was signed."""

    size = models.BigIntegerField(_("size"), primary_key=True, help_text=_("How many entries are sealed."))
    body = models.TextField(_("body"), help_text=_("Canonical JSON. This text is signed."))
    signature = models.CharField(_("signature"), max_length=128, help_text=_("Ed25519, base64url."))

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")

    def __str__(self) -> str:
        return str(self.size)

    @property
    def signed(self) -> dict[str, Any]:
        """The checkpoint and its signature, in the format of `auth_audit.offline_verifier`."""
        return {"checkpoint": json.loads(self.body), "signature": self.signature}


class Delivery(models.Model):
    """How far checkpoints were delivered to one sink. Delivery continues from there."""

    sink = models.CharField(_("sink"), max_length=255, primary_key=True)
    size = models.BigIntegerField(_("size"), default=0, help_text=_("Of the last checkpoint that it took."))

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")

    def __str__(self) -> str:
        return f"{self.sink} {self.size}"
