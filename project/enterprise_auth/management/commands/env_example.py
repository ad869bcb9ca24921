"""``manage.py env_example``: write ``.env.example`` from the list of variables."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from enterprise_auth.env import ROOT, example


class Command(BaseCommand):
    """Generates the file, so that no variable is missing."""

    help = "Write .env.example, or check that it is up to date (--check)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument("--check", action="store_true", help="Write nothing, and fail if the file is outdated.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or check the file."""
        path = ROOT / ".env.example"
        if not options["check"]:
            path.write_text(example(), encoding="utf-8")
        elif path.read_text(encoding="utf-8") != example():
            raise CommandError(".env.example is outdated. Run manage.py env_example.")
