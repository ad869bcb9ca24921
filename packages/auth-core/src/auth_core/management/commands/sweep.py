"""``manage.py sweep``: delete what is long over, make ready what will be needed."""

from typing import Any

from django.core.management.base import BaseCommand

from auth_core.registries import sweeps


class Command(BaseCommand):
    """Run it daily, or let Celery beat; nothing is wrong when it does not run, only larger."""

    help = "Run every registered sweep, and say what each did."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run them in order."""
        for name, run in sweeps.items():
            self.stdout.write(f"{name}: {run()}")
