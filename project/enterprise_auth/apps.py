"""The app that composes the others."""

from django.apps import AppConfig


class EnterpriseAuthConfig(AppConfig):
    """The composed service."""

    name = "enterprise_auth"
    label = "enterprise_auth"

    def ready(self) -> None:
        """Make the Celery application known: tasks offered without it would go to a broker on localhost."""
        from auth_core.registries import menu_entries  # noqa: PLC0415 - as below
        from enterprise_auth import celery, menu, receivers  # noqa: F401, PLC0415 - they read the settings, which are there only now

        receivers.connect()
        for name, entry in menu.ENTRIES.items():
            menu_entries.register(name, entry)
