"""``manage.py access_orphans``: rights for objects that are not there."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from auth_rbac.database import orphans


class Command(BaseCommand):
    """Counts them by kind of object; with ``--remove`` takes them away."""

    help = "Find rights for objects that do not exist any more, and remove them with --remove."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--remove", action="store_true", help="Remove them.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find, say, and remove."""
        counted = Counter(orphan.kind for orphan in orphans.find())
        for kind, count in sorted(counted.items()):
            self.stdout.write(f"{kind}: {count}")
        removed = orphans.remove() if options["remove"] else 0
        self.stdout.write(f"{removed} removed." if options["remove"] else f"{sum(counted.values())} found.")
