"""``manage.py sweep``: delete expired rows and prepare what will be needed."""

from typing import Any

from django.core.management.base import BaseCommand

from auth_core.registries import sweeps


class Command(BaseCommand):
    """The command runs daily, unless Celery beat does it. Without it nothing breaks, but tables grow."""

    help = "Run every registered sweep and print what each did."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the sweeps in order."""
        for name, run in sweeps.items():
            self.stdout.write(f"{name}: {run()}")
