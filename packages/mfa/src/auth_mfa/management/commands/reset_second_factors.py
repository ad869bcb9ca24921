"""``manage.py reset_second_factors``: let somebody enrol anew, from a shell."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_core.people.lookup import identity_of
from auth_core.text import Pattern
from auth_mfa.admin_search import person_named
from auth_mfa.factors import reset_factors

#: What may be a reason in the trail: a word, never a sentence about somebody.
_REASON = Pattern(r"[a-z][a-z0-9_]{0,31}", at_most=32)


class Command(BaseCommand):
    """For whoever lost everything, the last administrator included; made sure of by other means than this service."""

    help = "Take all second factors of a person away, so that they may add new ones at the next login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("person", help="Public id of a person, or what they sign in with.")
        parser.add_argument("--reason", type=_reason, default="operator", help="A word for the trail (operator).")
        parser.add_argument("--no-input", action="store_false", dest="interactive", help="Do not ask before.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Reset them, and say how many went."""
        person = person_named(options["person"])
        if person is None:
            raise CommandError("There is no such person.")
        if options["interactive"] and input(f"Take all second factors of {person} away? [yes/no] ") != "yes":
            raise CommandError("Nothing was taken away.")
        removed = reset_factors(user=person, actor=None, reason=options["reason"])
        noun = "second factor" if removed == 1 else "second factors"
        self.stdout.write(f"Took {removed} {noun} of {identity_of(person).subject_id} away.")


def _reason(text: str) -> str:
    if not _REASON.fullmatch(text):
        raise ArgumentTypeError("must be one word of lower-case letters, digits and underscores, 32 at most")
    return text
