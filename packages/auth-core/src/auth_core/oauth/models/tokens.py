"""Refresh tokens, opaque access tokens, and revoked JWTs. A JWT that was not revoked has no row."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7
from auth_core.oauth.conf import application_model
from auth_core.oauth.models.authorization import Authorization


class RefreshToken(models.Model):
    """One refresh token of an authorization. All tokens of one authorization are a family.

    A token that rotates is used once. Its second use ends the authorization (RFC 9700 section 4.14.2).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    digest = models.CharField(max_length=64, unique=True, help_text=_("SHA-256 of the token, in hex."))
    authorization = models.ForeignKey(Authorization, on_delete=models.CASCADE, related_name="refresh_tokens")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(help_text=_("When it expires if it is not used."))
    used_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was exchanged, if it rotates."))

    class Meta:
        verbose_name = _("refresh token")
        verbose_name_plural = _("refresh tokens")

    def __str__(self) -> str:
        return str(self.id)


class AccessToken(models.Model):
    """An opaque access token, for applications whose tokens say nothing to their holder."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    digest = models.CharField(max_length=64, unique=True, help_text=_("SHA-256 of the token, in hex."))
    application = models.ForeignKey(application_model(), on_delete=models.CASCADE, related_name="auth_access_tokens")
    authorization = models.ForeignKey(
        Authorization,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="access_tokens",
        help_text=_("Empty: the application acts for itself."),
    )
    claims = models.JSONField(help_text=_("The claims that a JWT would have."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")

    def __str__(self) -> str:
        return str(self.id)


class RevokedToken(models.Model):
    """The id of an access token that was revoked before it expired. It is kept until then."""

    jti = models.CharField(primary_key=True, max_length=64)
    revoked_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("revoked token")
        verbose_name_plural = _("revoked tokens")

    def __str__(self) -> str:
        return self.jti
