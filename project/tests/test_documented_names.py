"""Dotted names in docs, docstrings and comments exist: of modules and what is in them, permissions, checks, loggers."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps

ROOT = Path(__file__).parents[2]

_NAME = re.compile(r"`(auth_(?:core|mfa|rbac|sessions|audit)(?:\.\w+)+)(?:\(\))?`")
_CHECK_ID = re.compile(r"auth_\w+\.[EW]\d{3}")

#: Names that are no modules: loggers, purposes of encryption, and examples.
OTHER_NAMES = frozenset({
    "auth_core.EmailAddress", "auth_core.audit", "auth_core.outbox.secret", "auth_core.primary_address",
    "auth_core.security", "auth_mfa.totp.seed",
})  # fmt: skip


def _documents() -> Iterator[Path]:
    folders = [ROOT / "docs", ROOT / "project/enterprise_auth", *ROOT.glob("packages/*/src")]
    yield from ROOT.glob("*.md")
    yield from (ROOT / "project").glob("*.md")
    yield from ROOT.glob("packages/*/*.md")
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.suffix in (".md", ".py"))


def _permissions() -> Iterator[str]:
    for model in apps.get_models():
        options = model._meta
        yield from (f"{options.app_label}.{verb}_{options.model_name}" for verb in ("add", "change", "delete", "view"))
        yield from (f"{options.app_label}.{codename}" for codename, _name in options.permissions)


def exists(name: str) -> bool:
    """Return whether *name* is a module, or an attribute or annotation of what a module holds."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            if not hasattr(found, part):
                return part in getattr(found, "__annotations__", {})
            found = getattr(found, part)
        return True
    return False


def test_every_documented_name_exists() -> None:
    other_names = OTHER_NAMES | set(_permissions())
    names = {
        (name, str(path.relative_to(ROOT)))
        for path in _documents()
        for name in _NAME.findall(path.read_text(encoding="utf-8"))
        if name not in other_names and not _CHECK_ID.fullmatch(name)
    }

    assert len(names) > 100
    assert sorted(place for place in names if not exists(place[0])) == []


def test_a_name_that_does_not_exist_is_found() -> None:
    assert exists("auth_core.login.journey.open_login")
    assert not exists("auth_core.login.open_login")
    assert not exists("auth_core.people.lookup.find_anyone")
