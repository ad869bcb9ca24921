"""``manage.py rotate_keys``: encrypt again what stands under a former key, or say which keys are still in use."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_core import key_rotation
from auth_core.conf import core
from auth_core.crypto.encryption import current_key_id, key_problems
from auth_core.key_rotation import Progress

#: Rows of one column that ``--json`` names; all of them are on standard error.
_NAMED = 100


class Command(BaseCommand):
    """It may be stopped and started again at any moment, and run beside the service; running it twice changes nothing.

    What it prints are numbers, names of fields, keys of rows and ids of keys; never a value, and never a key.
    """

    help = "Encrypt every value that is not under the current field key again, or say which keys are still in use."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--fields", action="store_true", help="Encrypt again what FIELD_KEYS encrypt.")
        what.add_argument("--remaining", action="store_true", help="Only count what stands under each key.")
        parser.add_argument("--dry-run", action="store_true", help="Open every value, and write none.")
        parser.add_argument("--batch-size", type=_size, default=500, help="Rows that one query reads (500).")
        parser.add_argument("--json", action="store_true", help="Print one JSON object at the end, and nothing else.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate, or count; end with 1 where a value cannot be opened."""
        if problems := key_problems():
            raise CommandError(f"FIELD_KEYS: {'; '.join(problems)}.")
        self._is_json = bool(options["json"])
        unreadable = self._count() if options["remaining"] else self._rotate(options["batch_size"], options["dry_run"])
        if unreadable:
            raise CommandError(f"{unreadable} values cannot be opened; they were left alone.")

    def _rotate(self, batch_size: int, dry_run: bool) -> int:
        done, named = {}, {}
        for name, column in key_rotation.columns().items():
            names: list[str] = []
            for progress in key_rotation.rotate(name, column, batch_size=batch_size, dry_run=dry_run):
                self._say(progress)
                names += progress.named[: _NAMED - len(names)]
            done[name], named[name] = progress, names
        if self._is_json:
            fields = {name: _as_json(progress, named[name]) for name, progress in done.items()}
            self.stdout.write(json.dumps({"key": current_key_id(), "dry_run": dry_run, "fields": fields}))
        return sum(progress.unreadable for progress in done.values())

    def _say(self, progress: Progress) -> None:
        for pk in progress.named:
            self.stderr.write(f"{progress.column} {pk}: cannot be opened.")
        if not self._is_json:
            told = f"{progress.column}: {progress.done} of {progress.found} done"
            told += f", {progress.changed} changed by others" if progress.changed else ""
            told += f", {progress.unreadable} cannot be opened" if progress.unreadable else ""
            self.stdout.write(f"{told}.")

    def _count(self) -> int:
        """Say what stands under which key; return how many values stand under none that we have."""
        in_use = key_rotation.keys_in_use()
        total = sum((Counter(ids) for ids in in_use.values()), Counter())
        droppable = [key_id for key_id in core.FIELD_KEYS if not total[key_id] and key_id != current_key_id()]
        if self._is_json:
            self.stdout.write(json.dumps({"key": current_key_id(), "in_use": in_use, "droppable": droppable}))
        else:
            self._tell(in_use, droppable)
        return sum(number for key_id, number in total.items() if key_id not in core.FIELD_KEYS)

    def _tell(self, in_use: Mapping[str, Mapping[str, int]], droppable: list[str]) -> None:
        for name, ids in in_use.items():
            told = ", ".join(f"{number} under {_named(key_id)}" for key_id, number in sorted(ids.items()))
            self.stdout.write(f"{name}: {told or 'nothing'}.")
        self.stdout.write(f"May be dropped: {', '.join(droppable) or 'none'}.")


def _named(key_id: str) -> str:
    if not key_id:
        return "no key of ours"
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


def _size(text: str) -> int:
    size = int(text)
    if size < 1:
        raise ArgumentTypeError("at least 1")
    return size
