"""``manage.py audit_seal``: seal the entries that are final, once or continuously."""

import time
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.db import connections

from auth_audit.deliver import delivery
from auth_audit.offline_verifier import to_base64url
from auth_audit.seal import keys, seal_lag, sealer
from auth_audit.seal.checkpoints import SealsBroken
from auth_core.crypto.encryption import KeysMissing


class Command(BaseCommand):
    """Seal entries. Several processes may run it: one seals, the others do nothing."""

    help = "Seal the entries of all finished transactions and sign a checkpoint over them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--every", type=float, metavar="SECONDS", help="repeat with this pause until stopped")
        parser.add_argument("--search", action="store_true", help="search the whole trail for unsealed entries")
        parser.add_argument(
            "--status", action="store_true", help="seal nothing, and print how far sealing lags and why"
        )
        parser.add_argument("--keys", action="store_true", help="seal nothing, and print the public keys for verifiers")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal, or print the status or the keys.

        Raises:
            CommandError: There is no key, or the stored seals do not match the last checkpoint.
        """
        try:
            if options["keys"]:
                self._print_keys()
            elif options["status"]:
                self._print_status()
            elif options["every"]:
                self._seal_repeatedly(timedelta(seconds=options["every"]))
            else:
                self.stdout.write(f"{sealer.seal(search=options['search'])} entries sealed.")
                delivery.deliver()
        except (SealsBroken, KeysMissing) as error:
            raise CommandError(f"{error} Run `manage.py audit_verify`.") from error

    def _seal_repeatedly(self, pause: timedelta) -> None:
        while True:
            try:
                if sealed := sealer.seal():
                    self.stdout.write(f"{sealed} entries sealed.")
                delivery.deliver()
            except DatabaseError as error:
                self.stderr.write(f"Database error: {type(error).__name__}. Trying again.")
                connections.close_all()
            time.sleep(pause.total_seconds())

    def _print_status(self) -> None:
        lag = seal_lag.seal_lag()
        self.stdout.write(f"The oldest unsealed entry is {lag.age.total_seconds():.0f} s old.")
        if lag.culprit:
            culprit = lag.culprit
            self.stdout.write(
                f"Sealing waits for a transaction of pid {culprit.pid} in {culprit.database}, open since {culprit.since.isoformat()}."
            )

    def _print_keys(self) -> None:
        for key_id, public in keys.trusted_keys().items():
            self.stdout.write(f"{key_id}:{to_base64url(public)}")
