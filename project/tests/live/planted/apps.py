"""The defect that ``LIVE_PLANT`` names."""

import os

from django.apps import AppConfig


class PlantedConfig(AppConfig):
    """Puts a defect into this process."""

    name = "live.planted"

    def ready(self) -> None:
        """Plant it."""
        from auth_sessions.revocation import epochs  # noqa: PLC0415 - models exist only now

        if os.environ["LIVE_PLANT"] == "just_delete_the_key":
            epochs.value = lambda: b"always:"
            epochs.is_believed = lambda under, run: True
            epochs.confirm = lambda run: None
