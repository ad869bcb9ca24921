"""The app that composes the others."""

from django.apps import AppConfig


class EnterpriseAuthConfig(AppConfig):
    """The composed service."""

    name = "enterprise_auth"
    label = "enterprise_auth"

    def ready(self) -> None:
        """Make the Celery application known: tasks offered without it would go to a broker on localhost."""
        from enterprise_auth import celery  # noqa: F401, PLC0415 - it reads the settings, which are there only now
