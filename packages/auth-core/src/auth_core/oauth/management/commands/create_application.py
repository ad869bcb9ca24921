"""``manage.py create_application``: register an OAuth application from a shell."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError

from auth_core.assurance.levels import Assurance
from auth_core.errors import InvalidRequest
from auth_core.management.arguments import positive
from auth_core.oauth.clients.registration import GRANTS, create_application
from auth_core.oauth.models.application_policy import AuthMethod, Profile, TokenFormat

#: Options that may be repeated: the argument of the function that each fills, and what it says.
_REPEATED = {
    "--redirect-uri": ("redirect_uris", "Redirect address."),
    "--post-logout-redirect-uri": ("post_logout_redirect_uris", "Address after a logout."),
    "--allowed-origin": ("allowed_origins", "Origin of scripts that may read answers of the token endpoint."),
    "--grant": ("grants", "Grant type."),
    "--scope": ("scopes", "Scope of its own."),
    "--allowed-group": ("allowed_groups", "Name of a group whose members may use it."),
}

#: Options with one text, and those with a choice.
_TEXTS = {
    "--backchannel-logout-uri": ("backchannel_logout_uri", "Address that hears of ended sessions."),
    "--jwks-uri": ("jwks_uri", "Address of its public keys. It then authenticates with its key, and has no secret."),
    "--client-uri": ("client_uri", "Home page."),
    "--logo-uri": ("logo_uri", "Logo."),
    "--policy-uri": ("policy_uri", "Privacy policy."),
    "--tos-uri": ("tos_uri", "Terms of service."),
}
_CHOICES = {
    "--auth-method": ("auth_method", AuthMethod.values, "How it authenticates. Default: by its secret, either way."),
    "--profile": ("profile", Profile.values, "high: the FAPI 2.0 Security Profile. Default: that of the site."),
    "--required-assurance": (
        "required_assurance", [level.acr for level in Assurance if level], "Level that a session must have proved.",
    ),
    "--token-format": ("token_format", TokenFormat.values, "Format of access tokens. Default: jwt."),
    "--id-token-algorithm": (
        "id_token_algorithm", ["RS256", "ES256", "PS256", "EdDSA"], "Algorithm of ID tokens. Default: RS256.",
    ),
    "--userinfo-algorithm": (
        "userinfo_algorithm", ["RS256", "ES256", "PS256", "EdDSA"], "Algorithm of userinfo. Default: it is not signed.",
    ),
}  # fmt: skip

#: Options with a number of seconds, and flags.
_LIFETIMES = {
    "--access-token-lifetime": ("access_token_lifetime", "Lifetime of access tokens, in seconds."),
    "--refresh-token-lifetime": ("refresh_token_lifetime", "Lifetime of authorizations, in seconds."),
}
_FLAGS = {
    "--public": ("is_public", "It cannot keep a secret, and gets none."),
    "--first-party": ("is_first_party", "It is yours. People are not asked to consent."),
    "--service-account": ("is_service_account", "It may hold roles. It needs the grant client_credentials."),
    "--require-par": ("require_par", "It must push its authorization requests."),
    "--require-dpop": ("require_dpop", "Its tokens are bound to a key."),
    "--rotate-refresh-tokens": ("rotates_refresh_tokens", "Each refresh token works once."),
}


class Command(BaseCommand):
    """The secret is printed once. Only its hash is stored."""

    help = "Register an OAuth application, and print its client id and its secret. The secret is never shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options. What is left out has the default of the site."""
        parser.add_argument("--name", required=True, help="What people read before they consent.")
        for option, (name, text) in _REPEATED.items():
            grants = GRANTS if name == "grants" else None
            parser.add_argument(option, dest=name, action="append", choices=grants, help=f"{text} May be repeated.")
        for option, (name, text) in _TEXTS.items():
            parser.add_argument(option, dest=name, help=text)
        for option, (name, choices, text) in _CHOICES.items():
            parser.add_argument(option, dest=name, choices=choices, help=text)
        for option, (name, text) in _LIFETIMES.items():
            parser.add_argument(option, dest=name, type=positive, help=text)
        for option, (name, text) in _FLAGS.items():
            parser.add_argument(option, dest=name, action="store_true", help=text)
        parser.add_argument("--jwks-file", help="File with its public keys, a JSON Web Key Set. As with --jwks-uri.")
        parser.add_argument("--json", action="store_true", help="Print the application as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Register the application and print it."""
        try:
            made = create_application(name=options["name"], **_settings(options))
        except InvalidRequest as refusal:
            raise CommandError("; ".join(f"{error.field}: {error.detail}" for error in refusal.errors)) from refusal
        values = {"id": str(made.policy.pk), "client_id": made.client_id}
        if made.secret:
            values["client_secret"] = made.secret
        if options["json"]:
            self.stdout.write(json.dumps(values))
            return
        self.stdout.write("\n".join(f"{name}: {value}" for name, value in values.items()))


def _settings(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given, as the arguments of the function.

    Raises:
        CommandError: a group does not exist, or the file with the keys cannot be read.
    """
    names = [name for table in (_REPEATED, _TEXTS, _CHOICES, _LIFETIMES, _FLAGS) for name, *_rest in table.values()]
    settings = {name: options[name] for name in names if options[name] is not None}
    for name, _text in _LIFETIMES.values():
        if name in settings:
            settings[name] = timedelta(seconds=settings[name])
    if options["jwks_file"]:
        settings["jwks"] = _text_of(options["jwks_file"])
    if settings.get("jwks") or settings.get("jwks_uri"):
        settings.setdefault("auth_method", AuthMethod.PRIVATE_KEY.value)
    if "allowed_groups" in settings:
        groups = list(Group.objects.filter(name__in=settings["allowed_groups"]))
        if {group.name for group in groups} != set(settings["allowed_groups"]):
            raise CommandError("allowed_groups: a group does not exist.")
        settings["allowed_groups"] = groups
    return settings


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise CommandError(f"jwks-file: {type(problem).__name__}") from problem
