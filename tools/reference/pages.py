"""All generated pages, from what the packages declare. Django must be set up."""

import importlib
import pkgutil
from collections.abc import Iterator

from django.core.management import BaseCommand, load_command_class

from auth_core.errors import AuthError
from auth_core.events import catalogue
from auth_core.options import PackageSettings
from reference import commands, errors, events, settings

PACKAGES = ("auth_core", "auth_mfa", "auth_rbac", "auth_sessions", "auth_audit", "enterprise_auth")


def pages() -> dict[str, str]:
    """Return the text of each page under its name."""
    return {
        "commands": commands.render({package: list(_commands_of(package)) for package in PACKAGES}),
        "errors": errors.render(set(AuthError.registry.values())),
        "events": events.render(catalogue.values()),
        "settings": settings.render(PackageSettings.__subclasses__()),
    }


def _commands_of(package: str) -> Iterator[tuple[str, BaseCommand]]:
    folder = importlib.import_module(f"{package}.management.commands")
    for module in pkgutil.iter_modules(folder.__path__):
        yield module.name, load_command_class(package, module.name)
