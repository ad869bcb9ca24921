"""The defect named by ``LIVE_PLANT``."""

import os

from django.apps import AppConfig


class PlantedConfig(AppConfig):
    """Plants a defect in this process."""

    name = "live.planted"

    def ready(self) -> None:
        """Plant the defect."""
        from auth_sessions.revocation import epochs  # noqa: PLC0415 - the models are loaded only now

        if os.environ["LIVE_PLANT"] == "just_delete_the_key":
            epochs.value = lambda: b"always:"
            epochs.is_believed = lambda under, run: True
            epochs.confirm = lambda run: None
