"""``manage.py check_setup``: check everything that the service needs."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from enterprise_auth.core.setup_report import Status, report, table


class Command(BaseCommand):
    """Exits with status 1 if there is an error. A warning is not an error."""

    help = "Check database, cache, broker, mail, keys and settings, and print what to fix."
    #: A failing system check would prevent the report.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument("--json", action="store_true", help="Print the findings as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the findings."""
        findings = report()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2))
        else:
            for line in table(findings):
                self.stdout.write(line)
        if any(finding.status is Status.ERROR for finding in findings):
            raise SystemExit(1)
