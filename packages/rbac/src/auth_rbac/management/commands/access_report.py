"""``manage.py access_report``: who holds what, through which path, since when, and who granted it."""

import csv
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder

from auth_rbac.explanations.report import COLUMNS, rows

#: Characters with which a spreadsheet begins a formula (OWASP: CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Command(BaseCommand):
    """Writes row by row, so that the report of a large site needs little memory."""

    help = "Report who holds what, as CSV or as one JSON object per line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--format", choices=["csv", "json"], default="csv", help="csv (default) or json.")
        parser.add_argument(
            "--holder", default="", help="Public ID of a person, a group or a service: report only this one."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the report."""
        selected = (row for row in rows() if options["holder"] in {"", row["holder"]})
        if options["format"] == "json":
            for row in selected:
                self.stdout.write(json.dumps(row, cls=DjangoJSONEncoder))
            return
        writer = csv.DictWriter(self.stdout, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in selected:
            writer.writerow({name: _harmless(value) for name, value in row.items()})


def _harmless(value: object) -> str:
    """Return *value* so that no spreadsheet runs it. Names of roles and reasons are text from users."""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
