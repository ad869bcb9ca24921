"""``manage.py create_resource``: register what access tokens are for (RFC 8707) from a shell."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_core.errors import Conflict, InvalidRequest
from auth_core.oauth.applications.resources import create_resource


class Command(BaseCommand):
    """A resource server with an address and scopes. Applications may ask for the scopes that their policy lists."""

    help = "Register a resource server, and print its id."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--uri", required=True, help="Its address. It is the audience of tokens, and never changes."
        )
        parser.add_argument("--name", default="", help="What people read before they consent.")
        parser.add_argument(
            "--scope",
            action="append",
            default=[],
            metavar="NAME=SENTENCE",
            help="A scope, with the sentence that people read before they consent. May be repeated.",
        )

    def handle(self, *args: Any, uri: str, name: str, scope: list[str], **options: Any) -> None:
        """Register the resource and print its id."""
        pairs = [text.partition("=") for text in scope]
        if any(not sentence for _name, _equals, sentence in pairs):
            raise CommandError("scope: Enter the name of the scope, an equals sign and a sentence.")
        try:
            made = create_resource(uri=uri, name=name, scopes={key: sentence for key, _equals, sentence in pairs})
        except Conflict as refusal:
            raise CommandError("uri: There is a resource with this address.") from refusal
        except InvalidRequest as refusal:
            raise CommandError("; ".join(f"{error.field}: {error.detail}" for error in refusal.errors)) from refusal
        self.stdout.write(f"id: {made.pk}")
