"""``manage.py rotate_keys``: re-encrypt values under former keys, show which keys are in use, or replace other keys."""

import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_core import key_rotation
from auth_core.conf import core
from auth_core.crypto.encryption import current_key_id, key_problems
from auth_core.key_rotation import Progress
from auth_core.management.arguments import positive
from auth_core.registries import key_rotations

#: The number of rows of one column that ``--json`` names. Standard error names all of them.
_MAX_NAMED_ROWS = 100


class Command(BaseCommand):
    """The command can be stopped and restarted at any time and can run beside the service. It is idempotent.

    It prints counts, field names, primary keys and key ids, but never a value or a key.
    """

    help = "Re-encrypt every value that is not under the current field key, show which keys are in use, or replace other keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--fields", action="store_true", help="Re-encrypt the values that FIELD_KEYS encrypt.")
        what.add_argument("--remaining", action="store_true", help="Only count the values under each key.")
        for name in dict(key_rotations.items()):
            what.add_argument(f"--{name}", action="store_true", help=f"Replace the {name} keys.")
        parser.add_argument("--dry-run", action="store_true", help="Decrypt every value, but write none.")
        parser.add_argument(
            "--batch-size", type=positive, default=500, help="Rows that one query reads (default: 500)."
        )
        parser.add_argument("--json", action="store_true", help="Print only one JSON object, at the end.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate or count. Exit with 1 if a value cannot be decrypted."""
        if problems := key_problems():
            raise CommandError(f"FIELD_KEYS: {'; '.join(problems)}.")
        self._is_json = bool(options["json"])
        for name, rotate in key_rotations.items():
            if options[name]:
                self._print_sentences(name, rotate())
                return
        unreadable = self._count() if options["remaining"] else self._rotate(options["batch_size"], options["dry_run"])
        if unreadable:
            raise CommandError(f"{unreadable} values cannot be decrypted. They were not changed.")

    def _rotate(self, batch_size: int, dry_run: bool) -> int:
        done, named = {}, {}
        for name, column in key_rotation.columns().items():
            names: list[str] = []
            for progress in key_rotation.rotate(name, column, batch_size=batch_size, dry_run=dry_run):
                self._report(progress)
                names += progress.named[: _MAX_NAMED_ROWS - len(names)]
            done[name], named[name] = progress, names
        if self._is_json:
            fields = {name: _as_json(progress, named[name]) for name, progress in done.items()}
            self.stdout.write(json.dumps({"key": current_key_id(), "dry_run": dry_run, "fields": fields}))
        return sum(progress.unreadable for progress in done.values())

    def _print_sentences(self, name: str, sentences: list[str]) -> None:
        self.stdout.write(json.dumps({name: sentences}) if self._is_json else "\n".join(sentences))

    def _report(self, progress: Progress) -> None:
        for pk in progress.named:
            self.stderr.write(f"{progress.column} {pk}: cannot be decrypted.")
        if not self._is_json:
            line = f"{progress.column}: {progress.done} of {progress.found} done"
            line += f", {progress.changed} changed by others" if progress.changed else ""
            line += f", {progress.unreadable} cannot be decrypted" if progress.unreadable else ""
            self.stdout.write(f"{line}.")

    def _count(self) -> int:
        """Print the number of values under each key. Return the number of values under keys that are not configured."""
        in_use = key_rotation.keys_in_use()
        total = sum((Counter(ids) for ids in in_use.values()), Counter())
        droppable = [key_id for key_id in core.FIELD_KEYS if not total[key_id] and key_id != current_key_id()]
        if self._is_json:
            self.stdout.write(json.dumps({"key": current_key_id(), "in_use": in_use, "droppable": droppable}))
        else:
            self._print_keys(in_use, droppable)
        return sum(number for key_id, number in total.items() if key_id not in core.FIELD_KEYS)

    def _print_keys(self, in_use: Mapping[str, Mapping[str, int]], droppable: list[str]) -> None:
        for name, ids in in_use.items():
            counts = ", ".join(f"{number} under {_description(key_id)}" for key_id, number in sorted(ids.items()))
            self.stdout.write(f"{name}: {counts or 'nothing'}.")
        self.stdout.write(f"Can be removed: {', '.join(droppable) or 'none'}.")


def _description(key_id: str) -> str:
    if not key_id:
        return "an unknown key"
    if key_id not in core.FIELD_KEYS:
        return f"{key_id!r}, which is not configured"
    return f"{key_id!r}{' (current)' if key_id == current_key_id() else ''}"


def _as_json(progress: Progress, named: list[str]) -> dict[str, Any]:
    return {
        "found": progress.found,
        "done": progress.done,
        "changed": progress.changed,
        "unreadable": progress.unreadable,
        "unreadable_rows": named,
    }
