"""``manage.py audit_verify``: verify the trail against its seals and checkpoints."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from auth_audit.storage import guards
from auth_audit.verify.verification import verify
from auth_core.crypto.encryption import KeysMissing


class Command(BaseCommand):
    """Verify the trail. Reads only. Run it where the owner of the database cannot read or replace the keys."""

    help = "Hash every entry again and report changed, removed, inserted, reordered and truncated entries."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--from", dest="first", type=int, default=0, metavar="NUMBER", help="the first entry")
        parser.add_argument("--to", dest="last", type=int, default=None, metavar="NUMBER", help="the last entry")
        parser.add_argument(
            "--against", type=Path, metavar="CHECKPOINT", help="checkpoints that were stored elsewhere, as JSON lines"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify the trail and print the findings.

        Raises:
            CommandError: There are findings, or no keys.
        """
        if options["against"] and (options["first"] or options["last"] is not None):
            raise CommandError("--against verifies the whole trail. Omit --from and --to.")
        try:
            result = verify(first=options["first"], last=options["last"], against=_read(options["against"]))
        except KeysMissing as error:
            raise CommandError(str(error)) from error
        for finding in result.findings:
            self.stdout.write(str(finding))
        for guard in guards.missing():
            self.stdout.write(f"missing guard: {guard}")
        summary = (
            f"{result.sealed} entries verified, {result.waiting} not yet sealed,"
            f" {result.erased} with erased personal values."
        )
        if result.findings:
            raise CommandError(f"{summary} {len(result.findings)} findings.")
        self.stdout.write(f"{summary} No tampering found.")


def _read(path: Path | None) -> list[Any]:
    """Read the checkpoints of a file. Other lines are skipped, because the file may be a log.

    Raises:
        CommandError: The file has no checkpoint, or cannot be read.
    """
    if path is None:
        return []
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    checkpoints = [checkpoint for line in text.splitlines() if (checkpoint := _checkpoint(line))]
    if not checkpoints:
        raise CommandError(f"{path} contains no checkpoint.")
    return checkpoints


def _checkpoint(line: str) -> Any:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "checkpoint" in value else None
