"""``manage.py relay_outbox``: deliver the messages that are due."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from auth_core.messages import outbox


class Command(BaseCommand):
    """The command is for sites without Celery and for ``OUTBOX_RELAY = "manual"``."""

    help = "Deliver the messages that are due, once or until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--once", action="store_true", help="Deliver what is due now and exit.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Deliver the messages."""
        while True:
            delivered = outbox.deliver_due()
            self.stdout.write(f"{delivered} delivered.")
            if options["once"]:
                return
            time.sleep(5)
