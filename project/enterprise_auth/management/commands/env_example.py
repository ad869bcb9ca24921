"""``manage.py env_example``: write ``.env.example`` from the list of variables."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from enterprise_auth.env import ROOT, example


class Command(BaseCommand):
    """The file is generated, so that no variable is forgotten in it."""

    help = "Write .env.example, or check with --check that it is current."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--check", action="store_true", help="Write nothing; fail if it is not current.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or check."""
        path = ROOT / ".env.example"
        if not options["check"]:
            path.write_text(example(), encoding="utf-8")
        elif path.read_text(encoding="utf-8") != example():
            raise CommandError(".env.example is not current: run manage.py env_example.")
