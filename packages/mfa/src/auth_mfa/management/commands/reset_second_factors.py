"""``manage.py reset_second_factors``: remove all second factors of a user from a shell."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_core.admin_search import find_person
from auth_core.people.lookup import identity_of
from auth_core.text import Pattern
from auth_mfa.factors import reset_factors

#: A valid reason for the trail: one word, so that it holds nothing personal.
_REASON = Pattern(r"[a-z][a-z0-9_]{0,31}", at_most=32)


class Command(BaseCommand):
    """Reset the second factors of a user, also of the last administrator.

    The operator verifies the user's identity by other means than this service.
    """

    help = "Remove all second factors of a user, who can then add new ones at the next login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("person", help="Public ID, email address or user name.")
        parser.add_argument(
            "--reason", type=_reason, default="operator", help="One word for the audit trail. Default: operator."
        )
        parser.add_argument("--no-input", action="store_false", dest="interactive", help="Do not ask for confirmation.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Reset the user's factors and print how many were removed."""
        person = find_person(options["person"])
        if person is None:
            raise CommandError("User not found.")
        if options["interactive"] and input(f"Remove all second factors of {person}? [yes/no] ") != "yes":
            raise CommandError("Cancelled. Nothing was removed.")
        removed = reset_factors(user=person, actor=None, reason=options["reason"])
        noun = "second factor" if removed == 1 else "second factors"
        self.stdout.write(f"Removed {removed} {noun} of {identity_of(person).subject_id}.")


def _reason(text: str) -> str:
    if not _REASON.fullmatch(text):
        raise ArgumentTypeError("must be one word of at most 32 lower-case letters, digits and underscores")
    return text
