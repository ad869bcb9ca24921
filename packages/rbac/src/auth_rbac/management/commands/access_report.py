"""``manage.py access_report``: who holds what, through which way, since when, granted by whom."""

import csv
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder

from auth_rbac.explanations.report import COLUMNS, rows

#: What a spreadsheet takes for the beginning of a formula (OWASP: CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Command(BaseCommand):
    """Writes row by row, so that a large site needs no large memory."""

    help = "Report who holds what: CSV, or one JSON object a line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--format", choices=["csv", "json"], default="csv", help="csv (default) or json.")
        parser.add_argument("--person", default="", help="Public id: only what this person holds.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the report."""
        wanted = (row for row in rows() if options["person"] in {"", row["person"]})
        if options["format"] == "json":
            for row in wanted:
                self.stdout.write(json.dumps(row, cls=DjangoJSONEncoder))
            return
        writer = csv.DictWriter(self.stdout, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in wanted:
            writer.writerow({name: _harmless(value) for name, value in row.items()})


def _harmless(value: Any) -> str:
    """Return *value* as no spreadsheet will run it: names of roles and reasons are what somebody typed."""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
