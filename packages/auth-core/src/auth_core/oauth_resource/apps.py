"""The app ``auth_oauth_resource``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuthOAuthResourceConfig(AppConfig):
    """The resource side of OAuth. It has no models, and needs no other app."""

    name = "auth_core.oauth_resource"
    label = "auth_oauth_resource"
    verbose_name = _("OAuth resource server")

    def ready(self) -> None:
        """Register the checks."""
        from auth_core.oauth_resource import checks  # noqa: F401, PLC0415 - they register by import, once apps are ready
