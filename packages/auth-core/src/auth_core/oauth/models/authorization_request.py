"""What a client asked for at the authorization endpoint."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7
from auth_core.oauth.conf import application_model


class Kind(models.TextChoices):
    """What a stored request asks for."""

    AUTHORIZE = "authorize", _("Authorization")
    LOGOUT = "logout", _("Logout")


class AuthorizationRequest(models.Model):
    """Everything that a client asked for, continued by a short handle.

    GET, POST and pushed requests write the same row. It cures POST, long requests, the back button and the double submit. The
    handle carries no progress: what has been proved is evidence of the session, compared with `created_at`. Only
    `completed_at` changes, once, by one conditional statement.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handle_digest = models.CharField(max_length=64, unique=True, help_text=_("SHA-256 of the handle, in hex."))
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.AUTHORIZE)
    application = models.ForeignKey(
        application_model(), null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    is_pushed = models.BooleanField(default=False, help_text=_("Whether the client authenticated and pushed it."))
    parameters = models.JSONField(default=dict, help_text=_("The parameters as the client sent them."))
    dpop_jkt = models.CharField(
        max_length=43, blank=True, default="", help_text=_("Thumbprint of the key that the code is bound to.")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    completed_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When an authorization was issued for it, or it was refused.")
    )

    class Meta:
        verbose_name = _("authorization request")
        verbose_name_plural = _("authorization requests")

    def __str__(self) -> str:
        return str(self.id)
