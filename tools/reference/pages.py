"""All generated pages, from what the packages declare. Django must be set up."""

from collections.abc import Iterator
from pathlib import Path

from django.apps import AppConfig, apps
from django.core.management import BaseCommand, find_commands, load_command_class

from auth_core.errors import AuthError
from auth_core.events import catalogue
from auth_core.options import PackageSettings
from reference import commands, errors, events, settings

PACKAGES = ("auth_core", "auth_mfa", "auth_rbac", "auth_sessions", "auth_audit", "enterprise_auth")


def pages() -> dict[str, str]:
    """Return the text of each page under its name."""
    return {
        "commands": commands.render({app.name: found for app in _apps() if (found := list(_commands_of(app)))}),
        "errors": errors.render(set(AuthError.registry.values())),
        "events": events.render(catalogue.values()),
        "settings": settings.render(PackageSettings.__subclasses__()),
    }


def _apps() -> list[AppConfig]:
    """Return the installed apps of the packages, in the order of `PACKAGES`. A package may have several."""
    own = [app for app in apps.get_app_configs() if app.name.partition(".")[0] in PACKAGES]
    return sorted(own, key=lambda app: (PACKAGES.index(app.name.partition(".")[0]), app.name))


def _commands_of(app: AppConfig) -> Iterator[tuple[str, BaseCommand]]:
    for name in sorted(find_commands(str(Path(app.path) / "management"))):
        yield name, load_command_class(app.name, name)
