"""``manage.py make_certificate``: a self-signed certificate for the host of ``PUBLIC_URL``."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from auth_core.conf import core
from enterprise_auth.core.certificates import keep_certificate


class Command(BaseCommand):
    """For evaluation. Browsers warn of the certificate and create no passkeys."""

    help = "Write a self-signed certificate (fullchain.pem, privkey.pem), unless the folder has one that is not ours."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("folder", type=Path, help="The folder of the two files.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the files, and say what was done."""
        self.stdout.write(keep_certificate(options["folder"], public_url=core.PUBLIC_URL))
