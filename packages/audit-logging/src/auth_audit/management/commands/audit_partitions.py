"""``manage.py audit_partitions``: make the partitions of the months ahead."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from auth_audit.storage import partitions
from auth_audit.storage.default_partition import empty_default


class Command(BaseCommand):
    """Safe to run at any time and any number of times."""

    help = "Make the partitions of this month and the months ahead, and list all."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--empty-default",
            action="store_true",
            help="move what the default partition has caught into partitions of its months; appending waits meanwhile",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make them, and say what stands."""
        if options["empty_default"]:
            self.stdout.write(f"{empty_default()} entries moved.")
        made = partitions.make_ahead()
        self.stdout.write(f"{made} made.")
        for name in partitions.names():
            self.stdout.write(name)
