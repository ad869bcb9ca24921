"""``manage.py check_setup``: is everything there that the service needs?"""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from enterprise_auth.core.setup_report import Status, report, table


class Command(BaseCommand):
    """Ends with status 1 when something is wrong; a warning is none."""

    help = "Look at database, cache, broker, mail, keys and settings; say what is wrong and what to do."
    #: They would stop the report before it began.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="Print the findings as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what was found."""
        findings = report()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2))
        else:
            for line in table(findings):
                self.stdout.write(line)
        if any(finding.status is Status.ERROR for finding in findings):
            raise SystemExit(1)
