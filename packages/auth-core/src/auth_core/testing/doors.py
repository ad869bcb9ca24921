"""Tests of a site's routes: each one is classified, and no code signs people in without the login of this package."""

import ast
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.urls import get_resolver

#: Functions that open a Django session without limits, factors and audit.
_PAST_THE_DOOR = frozenset({"login", "alogin", "force_login"})


def routes(patterns: Iterable[Any] | None = None, *, prefix: str = "", without: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield every route of the site.

    Args:
        patterns: Defaults to all patterns of the URL resolver.
        without: Prefixes of routes to skip, such as ``admin/``.
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
    """The difference between a list of routes and the site.

    Args:
        unknown: Routes that the list lacks.
        gone: Routes in the list that no longer exist.
        twice: Routes that are listed more than once.
    """

    unknown: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    twice: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.unknown or self.gone or self.twice)


@dataclass(frozen=True, slots=True)
class Doors:
    """The routes of a site by kind, as its test lists them."""

    kinds: Mapping[str, list[str]]

    @classmethod
    def read(cls, path: Path) -> "Doors":
        """Read the list from a TOML file with one array of routes per kind."""
        return cls(tomllib.loads(path.read_text(encoding="utf-8")))

    def compare(self, answered: Iterable[str]) -> Difference:
        """Return the difference between the list and the *answered* routes. It is false when there is none."""
        listed = [route for kind in self.kinds.values() for route in kind]
        answered = frozenset(answered)
        return Difference(
            unknown=answered - set(listed),
            gone=frozenset(listed) - answered,
            twice=frozenset(route for route in listed if listed.count(route) > 1),
        )

    def addresses(self, *kinds: str) -> list[str]:
        """Return URLs for the routes of these kinds."""
        return [address_of(route) for kind in kinds for route in self.kinds[kind]]


def address_of(route: str) -> str:
    """Return a URL for *route*. Its arguments are an unused UUID or number, or text that looks like a token."""
    head, bracket, tail = route.partition("<")
    if not bracket:
        return f"/{route.lstrip('/')}"
    kind, _bracket, rest = tail.partition(">")
    filled = {"uuid": str(UUID(int=7)), "int": "7"}.get(kind.partition(":")[0], "elr_" + "x" * 43)
    return address_of(f"{head}{filled}{rest}")


def past_the_door(source: str) -> set[str]:
    """Return the functions of ``django.contrib.auth`` in *source* that sign people in, also under another name."""
    tree = ast.parse(source)
    modules = {"django.contrib.auth", "client", *_names_of_module(tree)}
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.contrib.auth"
        for alias in node.names
    }
    used = {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) in modules
    }
    return set(_PAST_THE_DOOR & (imported | used))


def scan(folders: Iterable[Path]) -> dict[Path, set[str]]:
    """Return the files below *folders* that bypass the login, with the functions they use. Test code is skipped."""
    paths = (path for folder in folders for path in sorted(folder.rglob("*.py")))
    running = (path for path in paths if not {"testing", "tests"} & set(path.parts))
    functions = {path: past_the_door(path.read_text(encoding="utf-8")) for path in running}
    return {path: names for path, names in functions.items() if names}


def _names_of_module(tree: ast.AST) -> set[str]:
    """Return the names under which a module imports ``django.contrib.auth``."""
    names = {"auth"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "django.contrib":
            names |= {alias.asname or alias.name for alias in node.names if alias.name == "auth"}
        elif isinstance(node, ast.Import):
            names |= {alias.asname for alias in node.names if alias.name == "django.contrib.auth" and alias.asname}
    return names
