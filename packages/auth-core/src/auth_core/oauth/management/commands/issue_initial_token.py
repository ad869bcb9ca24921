"""``manage.py issue_initial_token``: a token with which applications register themselves."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_core.errors import InvalidRequest
from auth_core.management.arguments import positive
from auth_core.oauth.conf import oauth
from auth_core.oauth.dynamic.initial_tokens import issue_initial_token


class Command(BaseCommand):
    """The token is printed once. Only its digest is stored."""

    help = "Issue an initial access token, with which applications register themselves (RFC 7591), and print it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--name", required=True, help="Whom it is given to.")
        parser.add_argument("--uses", type=positive, default=1, help="How many applications. Default: 1.")
        parser.add_argument(
            "--lifetime", type=positive, default=7 * 24 * 3600, help="How long it works, in seconds. Default: 7 days."
        )
        parser.add_argument(
            "--scope", dest="scopes", action="append", default=[], help="Scope that they may have. May be repeated."
        )
        parser.add_argument(
            "--authorization-details-type",
            dest="authorization_details_types",
            action="append",
            default=[],
            help="Type of authorization details that they may ask for. May be repeated.",
        )
        parser.add_argument("--json", action="store_true", help="Print the token as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Issue the token and print it."""
        try:
            issued = issue_initial_token(
                name=options["name"],
                uses=options["uses"],
                lifetime=timedelta(seconds=options["lifetime"]),
                scopes=options["scopes"],
                authorization_details_types=options["authorization_details_types"],
            )
        except InvalidRequest as refusal:
            raise CommandError("; ".join(error.detail for error in refusal.errors)) from refusal
        values = {"initial_access_token": issued.token, "expires_at": issued.row.expires_at.isoformat()}
        if options["json"]:
            self.stdout.write(json.dumps(values))
        else:
            self.stdout.write("\n".join(f"{name}: {value}" for name, value in values.items()))
        if not oauth.DYNAMIC_REGISTRATION:
            self.stderr.write("AUTH_OAUTH['DYNAMIC_REGISTRATION'] is off, so no application can use it yet.")
