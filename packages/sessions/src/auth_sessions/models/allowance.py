"""The session limit of a single user."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from auth_sessions.conf import LIMIT_POLICIES


class SessionAllowance(models.Model):
    """The limit of one user. It overrides the limits by fact and the general limit."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="auth_session_allowance"
    )
    sessions = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Maximum number of concurrent sessions. Empty: no limit."),
    )
    policy = models.CharField(
        max_length=20,
        choices=[(policy, policy) for policy in LIMIT_POLICIES],
        help_text=_("What happens at the next login."),
    )

    class Meta:
        verbose_name = _("session allowance")
        verbose_name_plural = _("session allowances")

    def __str__(self) -> str:
        return f"{self.user}: {self.sessions}"
