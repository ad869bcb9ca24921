"""``python -m reference``: write docs/reference. With ``--check``, fail when a page is stale."""

import importlib
import os
import pkgutil
import sys
from pathlib import Path

from generated import write_or_check

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("auth_core", "auth_mfa", "auth_rbac", "auth_sessions", "auth_audit", "enterprise_auth")


def main() -> int:
    """Write or check every page. Return 1 if one is stale."""
    from auth_core.errors import AuthError
    from auth_core.options import PackageSettings

    pages = {
        "settings": settings.render(PackageSettings.__subclasses__()),
        "errors": errors.render(set(AuthError.registry.values())),
        "commands": commands.render({package: list(_commands_of(package)) for package in PACKAGES}),
    }
    stale = [write_or_check(ROOT / f"docs/reference/{name}.md", page) for name, page in pages.items()]
    return max(stale)


def _commands_of(package: str):
    from django.core.management import load_command_class

    folder = importlib.import_module(f"{package}.management.commands")
    for module in pkgutil.iter_modules(folder.__path__):
        yield module.name, load_command_class(package, module.name)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "project"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_auth.settings.testing")
    import django

    django.setup()
    from reference import commands, errors, settings

    sys.exit(main())
