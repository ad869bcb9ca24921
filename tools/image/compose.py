"""Reads docker-compose.yml, as far as ours uses it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

#: ``${NAME}``, ``${NAME:-default}``, ``${NAME:?message}``
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<kind>:[-?])(?P<rest>[^}]*))?\}")


class MissingVariable(Exception):
    """A required variable is not set. The message is that of the file."""


def read_compose(path: Path) -> dict[str, Any]:
    """Return the file with its anchors resolved, and with its variables as they are written."""
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def interpolated(value: Any, variables: Mapping[str, str]) -> Any:
    """Return *value* with all variables replaced.

    Raises:
        MissingVariable: a variable with ``:?`` is not set.
    """
    if isinstance(value, dict):
        return {key: interpolated(nested, variables) for key, nested in value.items()}
    if isinstance(value, list):
        return [interpolated(nested, variables) for nested in value]
    return _VARIABLE.sub(lambda match: _replaced(match, variables), value) if isinstance(value, str) else value


def variable_names(value: Any) -> set[str]:
    """Return the names of all variables in *value*."""
    if isinstance(value, dict):
        return set().union(*map(variable_names, value.values()))
    if isinstance(value, list):
        return set().union(*map(variable_names, value))
    return {match["name"] for match in _VARIABLE.finditer(value)} if isinstance(value, str) else set()


def _replaced(match: re.Match[str], variables: Mapping[str, str]) -> str:
    value = variables.get(match["name"], "")
    if not value and match["kind"] == ":?":
        raise MissingVariable(f"{match['name']} {match['rest']}")
    return value or (match["rest"] or "")
