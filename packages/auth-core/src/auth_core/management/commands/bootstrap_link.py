"""``manage.py bootstrap_link``: the link under which the first administrator is made."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_core.flows.first_administrator import AdministratorExists, new_bootstrap_link


class Command(BaseCommand):
    """It goes to the terminal and to nothing else: whoever reads it can take the service over for a quarter of an hour."""

    help = "Print a one-time link that makes the first administrator; there must be none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--quiet", action="store_true", help="Print nothing and succeed when there is one already.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the link."""
        try:
            link = new_bootstrap_link()
        except AdministratorExists as error:
            if options["quiet"]:
                return
            raise CommandError("There is an administrator already.") from error
        self.stdout.write(link)
