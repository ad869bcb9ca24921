"""The app of the composed service."""

from django.apps import AppConfig


class EnterpriseAuthConfig(AppConfig):
    """The composed service."""

    name = "enterprise_auth"
    label = "enterprise_auth"

    def ready(self) -> None:
        """Connect receivers, register the menu, and load the Celery application.

        Without the application, tasks would be sent to a broker on localhost.
        """
        from auth_core.registries import menu_entries  # noqa: PLC0415 - settings are not ready before
        from enterprise_auth import celery, menu, receivers  # noqa: F401, PLC0415 - settings are not ready before

        receivers.connect()
        for name, entry in menu.ENTRIES.items():
            menu_entries.register(name, entry)
