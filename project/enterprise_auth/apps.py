"""The app that composes the others."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EnterpriseAuthConfig(AppConfig):
    """The composed service."""

    name = "enterprise_auth"
    label = "enterprise_auth"

    def ready(self) -> None:
        """Make the Celery application known: tasks offered without it would go to a broker on localhost."""
        from auth_core.registries import MenuEntry, menu_entries  # noqa: PLC0415 - apps are there only now
        from enterprise_auth import celery  # noqa: F401, PLC0415 - it reads the settings, which are there only now

        factors = MenuEntry(label=_("Second factors"), url_name="mfa-pages:factors", order=30)
        menu_entries.register("auth_mfa.factors", factors)
