"""``manage.py adopt_users``: an identity and an address for everyone who was there before this package."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, router

from auth_core.management.arguments import positive
from auth_core.people import adoption, column_index
from auth_core.people.adoption import Problem, Progress


class Command(BaseCommand):
    """The command can be stopped and restarted at any time and can run beside the service. It is idempotent.

    It prints counts and primary keys, but never an address.
    """

    help = "Make the identities and email addresses of all users, and the index by which addresses are found."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--dry-run", action="store_true", help="Report what would be done, but write nothing.")
        parser.add_argument("--batch-size", type=positive, default=2000, help="Users per batch (default: 2000).")
        parser.add_argument("--after", help="Begin after the user with this primary key.")
        parser.add_argument("--index-only", action="store_true", help="Only create the index.")
        parser.add_argument("--json", action="store_true", help="Print only one JSON object, at the end.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the index and adopt the users. Exit with 0 also if there are addresses that cannot be adopted."""
        self._is_json = bool(options["json"])
        if not options["dry_run"]:
            self._create_indexes()
        if options["index_only"]:
            return
        progress, total = Progress(problems={}), adoption.people().count()
        after = _primary_key(options["after"])
        for progress in adoption.adopt(batch_size=options["batch_size"], after=after, dry_run=options["dry_run"]):
            self._report(progress, total)
        if self._is_json:
            self.stdout.write(json.dumps({"dry_run": bool(options["dry_run"]), **_as_json(progress)}))
        elif not progress.done:
            self.stdout.write("No users.")

    def _create_indexes(self) -> None:
        alias = router.db_for_write(get_user_model())
        for field in column_index.fields_without_index(alias):
            self._say(f"Creating the index of {field.model._meta.label}.{field.name} …")
            try:
                column_index.create_index(field, alias)
            except DatabaseError as problem:
                statement = column_index.creation_sql(field, alias, concurrently=True)
                raise CommandError(
                    f"The index could not be created: {problem}\nRun this as the owner of the table, then start again:"
                    f"\n{statement};"
                ) from problem

    def _report(self, progress: Progress, total: int) -> None:
        label = get_user_model()._meta.label
        for pk, problem in progress.named:
            self.stderr.write(f"{label} {pk}: {problem.value}. Not adopted.")
        refused = "".join(f", {count} {problem.value}" for problem, count in progress.problems.items())
        self._say(
            f"{progress.done} of about {total} users, {progress.identities} identities and {progress.addresses} addresses"
            f" made{refused}. Last key: {progress.last}"
        )

    def _say(self, line: str) -> None:
        if not self._is_json:
            self.stdout.write(line)


def _primary_key(text: str | None) -> Any:
    """Return *text* as a primary key of the user model.

    Raises:
        CommandError: it is none.
    """
    try:
        return None if text is None else get_user_model()._meta.pk.to_python(text)
    except ValidationError as error:
        raise CommandError(f"--after: {' '.join(error.messages)}") from error


def _as_json(progress: Progress) -> Mapping[str, Any]:
    return {
        "users": progress.done,
        "identities": progress.identities,
        "addresses": progress.addresses,
        "without_address": progress.without_address,
        "not_adopted": {problem.name.lower(): progress.problems.get(problem, 0) for problem in Problem},
        "last": None if progress.last is None else str(progress.last),
    }
