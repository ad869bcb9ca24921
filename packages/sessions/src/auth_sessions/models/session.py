"""The session row. It is authoritative. Caches hold copies."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Subquery, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import Evidence, SessionFacts
from auth_core.contracts import Transport
from auth_core.ids import uuid7
from auth_core.models import Identity
from auth_core.users import UserLike
from auth_sessions.conf import sessions


class SessionQuerySet(models.QuerySet["Session"]):
    """Queries for sessions."""

    def unended(self) -> Self:
        """Return sessions that were not ended and have not reached their absolute lifetime.

        They may have been idle for too long.
        """
        return self.filter(ended_at=None, expires_at__gt=timezone.now())

    def live(self) -> Self:
        """Return sessions that are still valid: not ended, not expired and not idle for too long.

        The last-seen time of a row may lag by `LAST_SEEN_STEP`, which is granted as grace.
        """
        unused_until = models.ExpressionWrapper(F("last_seen_at") + F("idle_lifetime"), models.DateTimeField())
        moment = timezone.now() - sessions.LAST_SEEN_STEP
        return self.unended().alias(unused_until=unused_until).filter(unused_until__gt=moment)

    def opened_by(self, digest: str) -> Self:
        """Return the session of the credential with *digest*, the current or for a moment the previous one."""
        before = Q(previous_digest=digest, previous_until__gt=timezone.now())
        return self.filter(Q(token_digest=digest) | before)

    def of(self, user: UserLike) -> Self:
        """Return the sessions of *user*."""
        return self.filter(user=user)

    def in_person(self) -> Self:
        """Return sessions in which the user acts, and no one in their place."""
        return self.filter(actor_id=None)

    def acted_in_by(self, user: UserLike) -> Self:
        """Return the sessions of other people in which *user* acts."""
        own_id = Identity.objects.filter(user=user.pk).values("subject_id")
        return self.filter(actor_id=Subquery(own_id[:1]))


class Session(models.Model):
    """A session of a signed-in user or an anonymous visitor.

    Only the digest of the credential is stored, so a leaked table gives no access to sessions (ASVS 7.2.3). `id` is
    public.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    token_digest = models.CharField(max_length=64, unique=True, help_text=_("SHA-256 of the credential, in hex."))
    rotates = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("Whether the browser gets another credential with its next request."),
    )
    previous_digest = models.CharField(
        max_length=64, null=True, blank=True, help_text=_("SHA-256 of the credential before, in hex.")
    )
    previous_until = models.DateTimeField(
        null=True, blank=True, help_text=_("Until when the credential before is still good, for what was under way.")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="auth_sessions"
    )
    backend = models.CharField(max_length=255, blank=True, help_text=_("Dotted path of the authentication backend."))
    auth_hash = models.CharField(
        max_length=128, blank=True, help_text=_("HMAC of the password hash. A new password ends the session.")
    )
    transport = models.CharField(max_length=8, choices=[(transport.value, transport.value) for transport in Transport])
    evidence_stored = models.JSONField(db_column="evidence", default=list, help_text=_("What was proved in it."))
    authenticated_at = models.DateTimeField(null=True, blank=True, help_text=_("When something was proved last."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_seen_at = models.DateTimeField(default=timezone.now, help_text=_("At most a minute behind."))
    idle_lifetime = models.DurationField(help_text=_("How long it may go unused."))
    expires_at = models.DateTimeField(help_text=_("Absolute expiry of the session."))
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=32, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    network = models.CharField(max_length=49, blank=True)
    user_agent = models.CharField(max_length=512, blank=True)
    country = models.CharField(max_length=2, blank=True, db_default="", help_text=_("ISO 3166-1, if it is known."))
    latitude = models.FloatField(
        null=True, blank=True, help_text=_("Degrees. The location of the network, never of a person.")
    )
    longitude = models.FloatField(
        null=True, blank=True, help_text=_("Degrees. The location of the network, never of a person.")
    )
    device_id = models.UUIDField(null=True, blank=True, help_text=_("The browser or app, if it is recognised."))
    device_known = models.BooleanField(null=True, blank=True)
    application_id = models.UUIDField(
        null=True, blank=True, help_text=_("Public id of the application that it was opened for.")
    )
    actor_id = models.UUIDField(
        null=True, blank=True, help_text=_("Public id of the person who acts in it, if it is not its user.")
    )
    risk_score = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("Risk score of the login, 0 to 100. Empty: not assessed.")
    )
    risk_reasons = models.JSONField(
        default=list,
        blank=True,
        db_default=Value([], output_field=models.JSONField()),
        help_text=_("What weighed in the score, and how much."),
    )
    # Text and not jsonb. PostgreSQL refuses NUL in jsonb, and a site may store user input.
    data = models.TextField(default="{}", blank=True, help_text=_("What the site keeps in `request.session`, as JSON."))

    #: Last use according to the cache. ``None``: only the row's time is known.
    seen_at: datetime | None = None

    #: How the context of this request differs from the one in which the session was proved. See
    #: `auth_sessions.context_change`.
    context_changed: tuple[str, ...] = ()

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        indexes = [
            models.Index(fields=["user", "-id"], condition=Q(ended_at=None), name="auth_sessions_live_of_user"),
            models.Index(fields=["expires_at"], name="auth_sessions_expiry"),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="auth_sessions_ended"),
            models.Index(fields=["user", "-id"], name="auth_sessions_of_user"),
            models.Index(
                fields=["device_id", "-id"], condition=Q(device_id__isnull=False), name="auth_sessions_of_device"
            ),
            models.Index(
                fields=["previous_digest"], condition=Q(previous_digest__isnull=False), name="auth_sessions_previous"
            ),
            models.Index(
                fields=["application_id"],
                condition=Q(ended_at=None, application_id__isnull=False),
                name="auth_sessions_live_of_app",
            ),
            models.Index(
                fields=["actor_id"],
                condition=Q(ended_at=None, actor_id__isnull=False),
                name="auth_sessions_live_of_actor",
            ),
            models.Index(fields=["network", "-id"], name="auth_sessions_network"),
            models.Index(
                fields=["-risk_score", "-id"], condition=Q(risk_score__isnull=False), name="auth_sessions_risk"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def used_at(self) -> datetime:
        """The latest known time of use."""
        return self.last_seen_at if self.seen_at is None else max(self.seen_at, self.last_seen_at)

    @property
    def idle_expires_at(self) -> datetime:
        """The end of an unused session. Without the cache's time of use, the possible lag of the row is added."""
        grace = sessions.LAST_SEEN_STEP if self.seen_at is None else timedelta(0)
        return min(self.used_at + self.idle_lifetime + grace, self.expires_at)

    @property
    def facts(self) -> SessionFacts:
        """The public facts of this session."""
        return SessionFacts(
            id=self.pk,
            transport=self.transport,
            evidence=tuple(Evidence.from_json(stored) for stored in self.evidence_stored),
            authenticated_at=self.authenticated_at or self.created_at,
            expires_at=self.expires_at,
            idle_expires_at=self.idle_expires_at,
            device_known=self.device_known,
            application=self.application_id,
            actor=self.actor_id,
            context_changed=self.context_changed,
        )
