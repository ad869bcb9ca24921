"""``manage.py audit_partitions``: create the partitions of the coming months."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from auth_audit.storage import partitions
from auth_audit.storage.default_partition import empty_default


class Command(BaseCommand):
    """Create partitions. The command is idempotent."""

    help = "Create the partitions of this month and the coming months, and list all partitions."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument(
            "--empty-default",
            action="store_true",
            help="move the entries of the default partition into partitions of their months (blocks appending meanwhile)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the partitions and list all that exist."""
        if options["empty_default"]:
            self.stdout.write(f"{empty_default()} entries moved.")
        created = partitions.make_ahead()
        self.stdout.write(f"Partitions of {created} months created.")
        for name in partitions.names():
            self.stdout.write(name)
