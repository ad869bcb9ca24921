"""``manage.py access_orphans``: rights for objects that do not exist."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from auth_rbac.database import orphans


class Command(BaseCommand):
    """Counts the orphans by kind of object. With ``--remove`` it removes them."""

    help = "Find permissions for objects that no longer exist. With --remove, remove them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--remove", action="store_true", help="Remove them.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find, print and remove the orphans."""
        counts = Counter(orphan.kind for orphan in orphans.find())
        for kind, count in sorted(counts.items()):
            self.stdout.write(f"{kind}: {count}")
        removed = orphans.remove() if options["remove"] else 0
        self.stdout.write(f"{removed} removed." if options["remove"] else f"{sum(counts.values())} found.")
