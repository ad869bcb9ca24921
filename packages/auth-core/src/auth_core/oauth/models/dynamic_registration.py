"""Applications that registered themselves, and the tokens that let them."""

from datetime import timedelta

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7
from auth_core.oauth.models.application_policy import ApplicationPolicy


class InitialAccessToken(models.Model):
    """Lets its holders register applications, a number of times and until a moment (RFC 7591 section 3).

    Only its digest is stored. `uses_left` is lowered by one conditional statement, whose row count decides.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=255, help_text=_("Whom it was given to."))
    token_digest = models.CharField(
        _("token digest"), max_length=64, unique=True, editable=False, help_text=_("SHA-256 of the token, in hex.")
    )
    scopes = models.TextField(
        _("scopes"),
        blank=True,
        help_text=_("Scopes that its applications may have besides those of OpenID Connect, separated by spaces."),
    )
    authorization_details_types = models.TextField(
        _("types of authorization details"),
        blank=True,
        help_text=_("Types of authorization details that its applications may ask for, separated by spaces."),
    )
    uses_left = models.PositiveIntegerField(
        _("uses left"), validators=[MinValueValidator(1)], help_text=_("How many applications may still be registered.")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"), db_index=True)

    class Meta:
        verbose_name = _("initial access token")
        verbose_name_plural = _("initial access tokens")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def usable(cls, token_digest: str) -> "models.QuerySet[InitialAccessToken]":
        """Return the token with this digest, if an application may be registered with it now."""
        return cls.objects.filter(token_digest=token_digest, uses_left__gt=0, expires_at__gt=timezone.now())

    @classmethod
    def spend_use(cls, token_digest: str) -> bool:
        """Spend one use. Return whether there was one."""
        return bool(cls.usable(token_digest).update(uses_left=F("uses_left") - 1))


class DynamicRegistration(models.Model):
    """The registration of one application by itself, and the digest of the token that manages it (RFC 7592)."""

    policy = models.OneToOneField(
        ApplicationPolicy,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="dynamic_registration",
        verbose_name=_("application"),
    )
    token_digest = models.CharField(
        _("token digest"), max_length=64, unique=True, help_text=_("SHA-256 of the registration access token, in hex.")
    )
    scopes = models.TextField(
        _("scopes"), blank=True, help_text=_("Scopes that the initial access token allowed, separated by spaces.")
    )
    authorization_details_types = models.TextField(
        _("types of authorization details"),
        blank=True,
        help_text=_("Types of authorization details that the initial access token allowed, separated by spaces."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("dynamic registration")
        verbose_name_plural = _("dynamic registrations")

    def __str__(self) -> str:
        return str(self.pk)


#: The longest lifetime of an initial access token, and most uses of one.
LONGEST_LIFETIME = timedelta(days=365)
MOST_USES = 10_000
