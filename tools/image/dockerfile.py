"""Reads a Dockerfile and a .dockerignore, as far as ours use them."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: Instructions that change nothing in the file system.
_METADATA = frozenset({"EXPOSE", "HEALTHCHECK"})


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction: its name in capitals, and the rest of its lines as one text."""

    name: str
    text: str


@dataclass(slots=True)
class Stage:
    """One stage.

    Args:
        base: The image after FROM.
        name: The name after AS, or an empty text.
        steps: Its other instructions, in order.
    """

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def words(self, name: str) -> list[str]:
        """Return the arguments of the last instruction *name* in the exec form, or an empty list."""
        texts = [step.text for step in self.steps if step.name == name]
        words: list[str] = json.loads(texts[-1]) if texts else []
        return words

    @property
    def user(self) -> str:
        """The user of its processes, as ``uid:gid``. Empty for root."""
        return next((step.text for step in reversed(self.steps) if step.name == "USER"), "")


def read_stages(path: Path) -> list[Stage]:
    """Return the stages of a Dockerfile.

    Raises:
        ValueError: an instruction precedes FROM.
    """
    stages: list[Stage] = []
    for step in _steps(path.read_text(encoding="utf-8")):
        if step.name == "FROM":
            base, _as, name = step.text.partition(" AS ")
            stages.append(Stage(base, name))
        elif not stages:
            raise ValueError(f"{step.name} precedes FROM")
        elif step.name not in _METADATA:
            stages[-1].steps.append(step)
    return stages


def _steps(text: str) -> Iterator[Step]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _space, rest = line.strip().partition(" ")
            yield Step(name, rest.strip())


def variables(text: str, environment: dict[str, str]) -> dict[str, str]:
    """Return the variables of an ENV instruction. ``$NAME`` is replaced by that of *environment*."""
    pairs = [word.partition("=") for word in shlex.split(text)]
    return {
        name: re.sub(r"\$(\w+)", lambda match: environment.get(match[1], ""), value) for name, _equals, value in pairs
    }


def context_files(root: Path, tracked: list[str]) -> list[str]:
    """Return those of the *tracked* files below *root* that .dockerignore leaves in the context."""
    lines = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [(line.startswith("!"), _pattern(line.lstrip("!"))) for line in lines if line and not line.startswith("#")]
    return [name for name in tracked if not _is_ignored(name, rules)]


def _is_ignored(name: str, rules: list[tuple[bool, re.Pattern[str]]]) -> bool:
    """Return whether the last rule that matches *name* or one of its folders excludes it."""
    is_ignored = False
    for is_exception, pattern in rules:
        if pattern.fullmatch(name):
            is_ignored = not is_exception
    return is_ignored


def _pattern(text: str) -> re.Pattern[str]:
    translated = re.escape(text.strip("/")).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
    return re.compile(f"{translated}(/.*)?")
