"""What a person gave to an application. Codes and tokens name it."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7
from auth_core.oauth.conf import application_model
from auth_core.users import UserLike


class AuthorizationQuerySet(models.QuerySet["Authorization"]):
    """Queries for authorizations."""

    def live(self) -> Self:
        """Return authorizations that have not ended and have not reached their absolute lifetime."""
        return self.filter(ended_at=None, expires_at__gt=timezone.now())

    def of(self, user: UserLike) -> Self:
        """Return the authorizations of *user*."""
        return self.filter(user=user)

    def end(self, *, reason: str) -> int:
        """End the authorizations that have not ended. Return how many. Every token that names one is refused from now on."""
        return self.filter(ended_at=None).update(ended_at=timezone.now(), ended_reason=reason)


class Authorization(models.Model):
    """What a person gave to one application in one session, and what was proved then.

    The code, the access tokens and the family of refresh tokens name this row. A spent code or refresh token that is presented
    again ends it, and with it everything that it issued. It has the session's public id for ``sid`` and for the logout, and
    its own absolute lifetime. Only digests of secrets are stored.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    application = models.ForeignKey(
        application_model(), on_delete=models.CASCADE, related_name="auth_authorizations", verbose_name=_("application")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="auth_authorizations",
        db_index=False,
        verbose_name=_("user"),
    )
    subject = models.CharField(_("subject"), max_length=255, help_text=_("The id of the person that the client sees."))
    actor_id = models.UUIDField(
        _("actor"), null=True, blank=True, help_text=_("Public id of the person who acts for the user.")
    )
    session_id = models.UUIDField(
        _("session"), null=True, blank=True, help_text=_("Public id of the session that gave it.")
    )
    scope = models.TextField(_("scope"), blank=True, help_text=_("Granted scopes, separated by spaces."))
    resources = models.JSONField(_("resources"), default=list, help_text=_("URIs that tokens may be for."))
    claims = models.JSONField(
        _("claims"), default=dict, blank=True, help_text=_("The parameter `claims` of the request.")
    )
    authorization_details = models.JSONField(_("authorization details"), default=list, blank=True)
    evidence = models.JSONField(_("evidence"), default=list, help_text=_("What the session had proved."))
    acr = models.CharField(_("acr"), max_length=32, blank=True)
    amr = models.JSONField(_("amr"), default=list)
    authenticated_at = models.DateTimeField(_("authenticated at"), null=True, blank=True)
    nonce = models.TextField(_("nonce"), blank=True)
    redirect_uri = models.TextField(_("redirect URI"), blank=True, help_text=_("As the request had it."))
    code_challenge = models.CharField(_("code challenge"), max_length=43, blank=True, help_text=_("PKCE, S256."))
    code_digest = models.CharField(
        _("code digest"), max_length=64, null=True, blank=True, unique=True, help_text=_("SHA-256 of the code, in hex.")
    )
    code_expires_at = models.DateTimeField(_("code expires at"), null=True, blank=True)
    code_spent_at = models.DateTimeField(_("code spent at"), null=True, blank=True)
    device_code_digest = models.CharField(_("device code digest"), max_length=64, null=True, blank=True, unique=True)
    dpop_jkt = models.CharField(
        _("key thumbprint"), max_length=43, blank=True, default="", help_text=_("RFC 7638 thumbprint of the DPoP key.")
    )
    is_offline = models.BooleanField(
        _("offline"), default=False, help_text=_("Whether it outlives the session that gave it (offline_access).")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"), db_index=True, help_text=_("Absolute end. No use prolongs it."))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    ended_reason = models.CharField(_("reason of the end"), max_length=32, blank=True)

    objects = AuthorizationQuerySet.as_manager()

    class Meta:
        verbose_name = _("authorization")
        verbose_name_plural = _("authorizations")
        indexes = [
            models.Index(fields=["user", "application"], name="auth_oauth_of_user"),
            # The end of a session ends what it gave. Most authorizations have ended long ago.
            models.Index(fields=["session_id"], condition=Q(ended_at=None), name="auth_oauth_of_session"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def scopes(self) -> list[str]:
        """The granted scopes."""
        return self.scope.split()

    @property
    def refusal(self) -> str:
        """Why it is not live: ``ended``, ``expired``, or an empty text."""
        if self.ended_at is not None:
            return "ended"
        return "expired" if self.expires_at <= timezone.now() else ""
