"""``manage.py access_orphans``: rights for objects, and of services, that do not exist."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from auth_rbac.database import orphans
from auth_rbac.roles import service_orphans


class Command(BaseCommand):
    """Counts the orphans by kind of object, and those of services. With ``--remove`` it removes them."""

    help = "Find permissions for objects, and roles of services, that no longer exist. With --remove, remove them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--remove", action="store_true", help="Remove them.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find, print and remove the orphans."""
        counts = Counter(orphan.kind for orphan in orphans.find())
        services = sum(1 for _assignment in service_orphans.find())
        for kind, count in sorted(counts.items()):
            self.stdout.write(f"{kind}: {count}")
        if services:
            self.stdout.write(f"Deleted services: {services}")
        if unregistered := service_orphans.count_unregistered():
            self.stdout.write(f"Kept, because no app registers services: {unregistered}")
        removed = orphans.remove() + service_orphans.revoke() if options["remove"] else 0
        self.stdout.write(f"{removed} removed." if options["remove"] else f"{sum(counts.values()) + services} found.")
