"""``manage.py reset_second_factors``: remove all second factors of a user from a shell."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_core.admin_search import find_person
from auth_core.management.arguments import reason
from auth_core.people.lookup import identity_of
from auth_mfa.factors import reset_factors


class Command(BaseCommand):
    """Reset the second factors of a user, also of the last administrator.

    The operator verifies the user's identity by other means than this service.
    """

    help = "Remove all second factors of a user, who can then add new ones at the next login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("person", help="Public ID, email address or user name.")
        parser.add_argument(
            "--reason", type=reason, default="operator", help="One word for the audit trail. Default: operator."
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
