"""The app ``auth_mfa``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuthMfaConfig(AppConfig):
    """The app under which this package's tables, translations and checks stand."""

    name = "auth_mfa"
    label = "auth_mfa"
    verbose_name = _("Second factors")
    default_auto_field = "django.db.models.BigAutoField"
