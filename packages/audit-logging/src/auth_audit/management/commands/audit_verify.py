"""``manage.py audit_verify``: is the trail what was sealed?"""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from auth_audit.storage import guards
from auth_audit.verify.verification import verify
from auth_core.crypto.encryption import KeysMissing


class Command(BaseCommand):
    """Reads only. Its answer is as good as the keys: run it where the database's owner is not root."""

    help = "Hash every entry again, and name what was changed, removed, inserted, reordered or cut off."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--from", dest="first", type=int, default=0, metavar="NUMBER", help="the first entry")
        parser.add_argument("--to", dest="last", type=int, default=None, metavar="NUMBER", help="the last entry")
        parser.add_argument(
            "--against", type=Path, metavar="CHECKPOINT", help="checkpoints that were kept elsewhere, as JSON lines"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify.

        Raises:
            CommandError: something was found, or there are no keys.
        """
        if options["against"] and (options["first"] or options["last"] is not None):
            raise CommandError("A checkpoint from elsewhere is about the whole trail: leave --from and --to out.")
        try:
            result = verify(first=options["first"], last=options["last"], against=_read(options["against"]))
        except KeysMissing as problem:
            raise CommandError(str(problem)) from problem
        for finding in result.findings:
            self.stdout.write(str(finding))
        for guard in guards.missing():
            self.stdout.write(f"guard: {guard} does not stand")
        told = f"{result.sealed} entries verified, {result.waiting} wait for the sealer"
        if result.findings:
            raise CommandError(f"{told}; {len(result.findings)} findings.")
        self.stdout.write(f"{told}; nothing was tampered with.")


def _read(path: Path | None) -> list[Any]:
    """Read checkpoints; lines of a file that hold something else are left out, it may be a log.

    Raises:
        CommandError: there is not one.
    """
    if path is None:
        return []
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise CommandError(f"{path}: {problem.strerror}") from problem
    read = [told for line in text.splitlines() if (told := _checkpoint(line))]
    if not read:
        raise CommandError(f"{path} holds no checkpoint.")
    return read


def _checkpoint(line: str) -> Any:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and "checkpoint" in told else None
