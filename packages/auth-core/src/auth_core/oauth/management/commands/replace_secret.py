"""``manage.py replace_secret``: a new secret for an OAuth application."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_core.errors import InvalidRequest
from auth_core.management.arguments import positive
from auth_core.oauth.applications.client_secrets import end_previous_secret, replace_secret
from auth_core.oauth.models import ApplicationPolicy


class Command(BaseCommand):
    """The secret is printed once. Only its hash is stored."""

    help = "Replace the secret of an OAuth application, and print the new one, or end the one before it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("client_id", help="The client id of the application.")
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument(
            "--overlap", type=positive, default=0, help="How long the secret before is accepted as well, in seconds."
        )
        choice.add_argument("--end-previous", action="store_true", help="Accept the secret before no more.")
        parser.add_argument("--json", action="store_true", help="Print the secret as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replace the secret and print it."""
        rows = ApplicationPolicy.objects.select_related("application")
        policy = rows.filter(application__client_id=options["client_id"]).first()
        if policy is None:
            raise CommandError("There is no application with this client id.")
        if options["end_previous"]:
            is_ended = end_previous_secret(policy=policy)
            self.stdout.write("The previous secret was ended." if is_ended else "No previous secret is accepted.")
            return
        try:
            secret = replace_secret(policy=policy, overlap=timedelta(seconds=options["overlap"]))
        except InvalidRequest as refusal:
            raise CommandError("; ".join(error.detail for error in refusal.errors)) from refusal
        until = policy.previous_secret_until
        values = {"client_secret": secret, "previous_secret_until": None if until is None else until.isoformat()}
        if options["json"]:
            self.stdout.write(json.dumps(values))
            return
        self.stdout.write("\n".join(f"{name}: {value}" for name, value in values.items() if value))
