"""``manage.py bootstrap_link``: the one-time link that creates the first administrator."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_core.errors import SignupClosed
from auth_core.flows.account_fields import obstacles
from auth_core.flows.first_administrator import AdministratorExists, new_bootstrap_link


class Command(BaseCommand):
    """The command prints the link to the terminal only. Its reader can take over the service for a quarter of an hour."""

    help = "Print a one-time link that creates the first administrator. Fails if there is one already."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--quiet", action="store_true", help="Succeed without output if there is an administrator already."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the link."""
        try:
            link = new_bootstrap_link()
        except AdministratorExists as error:
            if options["quiet"]:
                return
            raise CommandError("There is an administrator already.") from error
        except SignupClosed as error:
            raise CommandError(
                f"No administrator can be created by a link. Use `createsuperuser`. {' '.join(obstacles())}".strip()
            ) from error
        self.stdout.write(link)
