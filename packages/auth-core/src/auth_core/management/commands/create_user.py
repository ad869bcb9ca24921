"""``manage.py create_user``: create an account from a shell."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_core.errors import InvalidRequest, SignupClosed
from auth_core.flows.account_creation import create_account
from auth_core.flows.account_fields import obstacles
from auth_core.people.lookup import profile_of


class Command(BaseCommand):
    """The command reads the password from standard input. An argument would be in the process list and shell history."""

    help = "Create an account. The password is read from standard input, one line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--email", required=True, help="Email address to sign in with.")
        parser.add_argument("--verified", action="store_true", help="Mark the address as verified.")
        parser.add_argument("--superuser", action="store_true", help="Give the account all permissions.")
        parser.add_argument("--json", action="store_true", help="Print the account as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the account and print it."""
        password = sys.stdin.readline().rstrip("\r\n")
        try:
            user = create_account(
                email=options["email"],
                password=password,
                verified=options["verified"],
                superuser=options["superuser"],
            )
        except SignupClosed as refusal:
            raise CommandError(f"No account can be created: {' '.join(obstacles())}") from refusal
        except InvalidRequest as refusal:
            raise CommandError("; ".join(error.detail for error in refusal.errors)) from refusal
        profile = {key: value for key, value in profile_of(user).items() if key in ("id", "email", "email_verified")}
        self.stdout.write(json.dumps(profile) if options["json"] else f"Created {profile['email']} ({profile['id']}).")
