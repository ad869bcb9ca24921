"""The app ``auth_accounts``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuthAccountsConfig(AppConfig):
    """The concrete user model. Its table exists only if ``AUTH_USER_MODEL`` names it."""

    name = "auth_core.accounts"
    label = "auth_accounts"
    verbose_name = _("Accounts")
    default_auto_field = "django.db.models.BigAutoField"
