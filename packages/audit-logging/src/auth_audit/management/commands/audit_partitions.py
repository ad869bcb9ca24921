"""``manage.py audit_partitions``: make the partitions of the months ahead."""

from typing import Any

from django.core.management.base import BaseCommand

from auth_audit import partitions


class Command(BaseCommand):
    """Safe to run at any time and any number of times."""

    help = "Make the partitions of this month and the months ahead, and list all."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make them, and say what stands."""
        made = partitions.make_ahead()
        self.stdout.write(f"{made} made.")
        for name in partitions.names():
            self.stdout.write(name)
