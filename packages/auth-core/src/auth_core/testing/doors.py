"""Doors: every route of a site classified, and no code that signs anybody in past the one door."""

import ast
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.urls import get_resolver

#: What opens a session of Django's, past limits, factors and trail.
_PAST_THE_DOOR = frozenset({"login", "alogin", "force_login"})


def routes(patterns: Iterable[Any] | None = None, *, prefix: str = "", without: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield every route that the site answers.

    Args:
        patterns: Left out: all of the URL resolver.
        without: Beginnings of routes that are somebody else's, such as ``admin/``.
    """
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = f"{prefix}{pattern.pattern}"
        if without and route.startswith(without):
            continue
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern.url_patterns, prefix=route, without=without)
        else:
            yield route


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a list of doors and the URL resolver do not agree on.

    Args:
        unknown: Routes that nobody classified.
        gone: Routes that are listed and not there any more.
        twice: Routes that are listed as two things.
    """

    unknown: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    twice: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.unknown or self.gone or self.twice)


@dataclass(frozen=True, slots=True)
class Doors:
    """A site's list of its routes, by what kind of door each is."""

    kinds: Mapping[str, list[str]]

    @classmethod
    def read(cls, path: Path) -> "Doors":
        """Return the list in a TOML file: one array of routes per kind."""
        return cls(tomllib.loads(path.read_text(encoding="utf-8")))

    def compare(self, answered: Iterable[str]) -> Difference:
        """Return where the list and the routes that are *answered* differ; nothing when they do not."""
        listed = [route for kind in self.kinds.values() for route in kind]
        answered = frozenset(answered)
        return Difference(
            unknown=answered - set(listed),
            gone=frozenset(listed) - answered,
            twice=frozenset(route for route in listed if listed.count(route) > 1),
        )

    def addresses(self, *kinds: str) -> list[str]:
        """Return the routes of these kinds as addresses that can be called."""
        return [address_of(route) for kind in kinds for route in self.kinds[kind]]


def address_of(route: str) -> str:
    """Return an address that *route* answers: its arguments are a UUID nobody has, or what looks like a token."""
    head, bracket, tail = route.partition("<")
    if not bracket:
        return f"/{route.lstrip('/')}"
    kind, _bracket, rest = tail.partition(">")
    filled = {"uuid": str(UUID(int=7)), "int": "7"}.get(kind.partition(":")[0], "elr_" + "x" * 43)
    return address_of(f"{head}{filled}{rest}")


def past_the_door(source: str) -> set[str]:
    """Return what a module takes from ``django.contrib.auth`` that would sign somebody in, by whatever name."""
    tree = ast.parse(source)
    modules = {"django.contrib.auth", "client", *_names_of_module(tree)}
    taken = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.contrib.auth"
        for alias in node.names
    }
    called = {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) in modules
    }
    return set(_PAST_THE_DOOR & (taken | called))


def scan(folders: Iterable[Path]) -> dict[Path, set[str]]:
    """Return the files below *folders* that go past the door, and how; kits for tests and tests are left out."""
    paths = (path for folder in folders for path in sorted(folder.rglob("*.py")))
    running = (path for path in paths if not {"testing", "tests"} & set(path.parts))
    found = {path: past_the_door(path.read_text(encoding="utf-8")) for path in running}
    return {path: names for path, names in found.items() if names}


def _names_of_module(tree: ast.AST) -> set[str]:
    """Return under which names a module knows ``django.contrib.auth``."""
    names = {"auth"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "django.contrib":
            names |= {alias.asname or alias.name for alias in node.names if alias.name == "auth"}
        elif isinstance(node, ast.Import):
            names |= {alias.asname for alias in node.names if alias.name == "django.contrib.auth" and alias.asname}
    return names
