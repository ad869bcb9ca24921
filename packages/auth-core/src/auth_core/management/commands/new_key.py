"""``manage.py new_key``: a random key for ``FIELD_KEYS``."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from auth_core.crypto.encryption import new_key


class Command(BaseCommand):
    """The command needs no database and no key, because a site that has no key yet runs it."""

    help = "Print a random key for AUTH_CORE['FIELD_KEYS']: 32 bytes in base64url."
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--id", default="", help="Print ID:KEY, as the environment variable FIELD_KEYS of the service expects it."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the key."""
        key = new_key()
        self.stdout.write(f"{options['id']}:{key}" if options["id"] else key)
