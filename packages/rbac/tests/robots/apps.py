"""The app ``robots``, which registers its rows as services."""

from django.apps import AppConfig


class RobotsConfig(AppConfig):
    """Services of the test site."""

    name = "robots"

    def ready(self) -> None:
        """Register the services."""
        from auth_core.registries import holder_kinds  # noqa: PLC0415 - models exist only now
        from robots.models import describe_robots  # noqa: PLC0415 - as above

        holder_kinds.register("service", describe_robots)
