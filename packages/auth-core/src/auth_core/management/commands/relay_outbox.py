"""``manage.py relay_outbox``: deliver what is due."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from auth_core.messages import outbox


class Command(BaseCommand):
    """For sites without Celery, and for what `OUTBOX_RELAY` leaves to hand."""

    help = "Deliver the messages that are due, once or until it is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--once", action="store_true", help="Deliver what is due now, and end.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Deliver."""
        while True:
            delivered = outbox.deliver_due()
            self.stdout.write(f"{delivered} delivered.")
            if options["once"]:
                return
            time.sleep(5)
