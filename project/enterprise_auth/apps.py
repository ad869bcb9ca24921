"""The app of the composed service."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from auth_core.registries import MenuEntry, menu_entries
from enterprise_auth.core.conf import site

#: The account pages that the service adds to those of auth_core.
_MENU_ENTRIES = {
    "auth_mfa.factors": MenuEntry(label=_("Second factors"), url_name="mfa-pages:factors", order=30),
    "auth_sessions.sessions": MenuEntry(label=_("Sessions and devices"), url_name="sessions-pages:sessions", order=40),
    "auth_oauth.applications": MenuEntry(label=_("Connected applications"), url_name="oauth:applications", order=60),
}


class EnterpriseAuthConfig(AppConfig):
    """The composed service."""

    name = "enterprise_auth"
    label = "enterprise_auth"

    def ready(self) -> None:
        """Connect receivers, register the menu, and load the Celery application if there is a broker.

        Without the application, tasks would be sent to a broker on localhost. Without a broker no task is sent.
        """
        from enterprise_auth import checks, receivers  # noqa: F401, PLC0415 - settings are not ready before

        if site.broker_url:
            import_module("enterprise_auth.celery")
        receivers.connect()
        for name, entry in _MENU_ENTRIES.items():
            menu_entries.register(name, entry)
