"""``manage.py audit_seal``: seal what is there for good, once or again and again."""

import time
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.db import connections

from auth_audit.deliver import delivery
from auth_audit.offline_verifier import to_text
from auth_audit.seal import keys, seal_lag, sealer
from auth_audit.seal.checkpoints import SealsBroken
from auth_core.crypto.encryption import KeysMissing


class Command(BaseCommand):
    """Any number may run at once: one seals, the others find nothing to do."""

    help = "Seal the entries that no running transaction can still precede, and sign a checkpoint over them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--every", type=float, metavar="SECONDS", help="go on until it is stopped")
        parser.add_argument(
            "--search", action="store_true", help="look through the whole trail for what was left behind"
        )
        parser.add_argument("--status", action="store_true", help="seal nothing; say how far sealing lags, and why")
        parser.add_argument("--keys", action="store_true", help="seal nothing; print the public keys, for verifiers")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal.

        Raises:
            CommandError: there is no key, or what is stored does not fit the last checkpoint.
        """
        try:
            if options["keys"]:
                self._print_keys()
            elif options["status"]:
                self._print_status()
            elif options["every"]:
                self._go_on(timedelta(seconds=options["every"]))
            else:
                self.stdout.write(f"{sealer.seal(search=options['search'])} sealed.")
                delivery.deliver()
        except (SealsBroken, KeysMissing) as problem:
            raise CommandError(f"{problem} Run `manage.py audit_verify`.") from problem

    def _go_on(self, pause: timedelta) -> None:
        while True:
            try:
                if sealed := sealer.seal():
                    self.stdout.write(f"{sealed} sealed.")
                delivery.deliver()
            except DatabaseError as problem:
                self.stderr.write(f"The database did not answer: {type(problem).__name__}.")
                connections.close_all()
            time.sleep(pause.total_seconds())

    def _print_status(self) -> None:
        behind = seal_lag.seal_lag()
        self.stdout.write(f"The oldest entry that waits is {behind.age.total_seconds():.0f} s old.")
        if behind.culprit:
            held_by = behind.culprit
            self.stdout.write(f"pid {held_by.pid} in {held_by.database} writes since {held_by.since.isoformat()}.")

    def _print_keys(self) -> None:
        for key_id, public in keys.believed_keys().items():
            self.stdout.write(f"{key_id}:{to_text(public)}")
