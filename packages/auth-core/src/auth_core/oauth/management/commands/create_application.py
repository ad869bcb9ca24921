"""``manage.py create_application``: register an OAuth application from a shell."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_core.errors import InvalidRequest
from auth_core.oauth.clients.registration import GRANTS, create_application
from auth_core.oauth.conf import HIGH
from auth_core.oauth.models.application_policy import AuthMethod


class Command(BaseCommand):
    """The secret is printed once. Only its hash is stored."""

    help = "Register an OAuth application, and print its client id and its secret. The secret is never shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--name", required=True, help="What people read before they consent.")
        parser.add_argument("--redirect-uri", action="append", default=[], help="Redirect address. May be repeated.")
        parser.add_argument(
            "--post-logout-redirect-uri", action="append", default=[], help="Address after a logout. May be repeated."
        )
        parser.add_argument("--backchannel-logout-uri", default="", help="Address that hears of ended sessions.")
        parser.add_argument("--grant", action="append", default=[], choices=GRANTS, help="Grant type. May be repeated.")
        parser.add_argument("--scope", action="append", default=[], help="Scope of its own. May be repeated.")
        parser.add_argument("--public", action="store_true", help="It cannot keep a secret, and gets none.")
        parser.add_argument("--first-party", action="store_true", help="It is yours. People are not asked to consent.")
        parser.add_argument("--jwks-uri", default="", help="Address of its public keys. It then has no secret.")
        parser.add_argument("--jwks-file", default="", help="File with its public keys, as a JSON Web Key Set.")
        parser.add_argument("--profile", default="", choices=["", HIGH], help="high: the FAPI 2.0 Security Profile.")
        parser.add_argument("--require-par", action="store_true", help="It must push its authorization requests.")
        parser.add_argument("--require-dpop", action="store_true", help="Its tokens are bound to a key.")
        parser.add_argument("--json", action="store_true", help="Print the application as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Register the application and print it."""
        try:
            jwks = Path(options["jwks_file"]).read_text(encoding="utf-8") if options["jwks_file"] else ""
        except (OSError, UnicodeDecodeError) as problem:
            raise CommandError(f"jwks-file: {type(problem).__name__}") from problem
        has_key = bool(jwks or options["jwks_uri"])
        try:
            made = create_application(
                name=options["name"],
                redirect_uris=options["redirect_uri"],
                post_logout_redirect_uris=options["post_logout_redirect_uri"],
                backchannel_logout_uri=options["backchannel_logout_uri"],
                grants=options["grant"],
                scopes=options["scope"],
                is_public=options["public"],
                is_first_party=options["first_party"],
                auth_method=AuthMethod.PRIVATE_KEY.value if has_key else "",
                jwks=jwks,
                jwks_uri=options["jwks_uri"],
                profile=options["profile"],
                require_par=options["require_par"],
                require_dpop=options["require_dpop"],
            )
        except InvalidRequest as refusal:
            raise CommandError("; ".join(f"{error.field}: {error.detail}" for error in refusal.errors)) from refusal
        values = {"id": str(made.policy.pk), "client_id": made.client_id}
        if made.secret:
            values["client_secret"] = made.secret
        if options["json"]:
            self.stdout.write(json.dumps(values))
            return
        self.stdout.write("\n".join(f"{name}: {value}" for name, value in values.items()))
