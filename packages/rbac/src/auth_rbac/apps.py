"""The app ``auth_rbac``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuthRbacConfig(AppConfig):
    """The app under which this package's tables, translations and checks stand."""

    name = "auth_rbac"
    label = "auth_rbac"
    verbose_name = _("Roles and permissions")
    default_auto_field = "django.db.models.BigAutoField"
