"""Rows, the tests that are marked with them, and what is wrong with either."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

STATES = ("test", "setting", "document", "not_applicable", "open")
_MARK = re.compile(r'@pytest\.mark\.asvs\("([^"]*)"\)')


@dataclass(frozen=True)
class Row:
    """One requirement.

    Args:
        id: Such as ``6.2.1``.
        state: What proves it; one of `STATES`.
        proof: Path of the setting or document, from the root.
        reason: Why it does not apply, or what it waits for.
    """

    id: str
    level: int
    requirement: str
    check: str
    state: str
    proof: str = ""
    reason: str = ""


def load(folder: Path) -> dict[str, Row]:
    """Return all rows by id, in the order of their numbers."""
    found: dict[str, Row] = {}
    for path in sorted(folder.glob("V*.toml")):
        found |= {key: Row(id=key, **told) for key, told in tomllib.loads(path.read_text(encoding="utf-8")).items()}
    return dict(sorted(found.items(), key=lambda item: [int(part) for part in item[0].split(".")]))


def marks(root: Path) -> dict[str, set[str]]:
    """Return the ids that tests are marked with, each with the files they stand in."""
    found: dict[str, set[str]] = {}
    for pattern in ("packages/*/tests/**/*.py", "project/tests/**/*.py"):
        for path in sorted(root.glob(pattern)):
            for marked in _MARK.findall(path.read_text(encoding="utf-8")):
                found.setdefault(marked, set()).add(str(path.relative_to(root)))
    return found


def problems(rows: Mapping[str, Row], marked: Mapping[str, set[str]], root: Path, may_be_open: int) -> Iterator[str]:
    """Yield everything that is wrong, as sentences."""
    for row in rows.values():
        yield from _problems_of(row, marked, root)
    for unknown in sorted(set(marked) - set(rows)):
        yield f"{unknown} is marked in {sorted(marked[unknown])[0]}, and is no row."
    is_open = sum(row.state == "open" for row in rows.values())
    if is_open > may_be_open:
        yield f"{is_open} rows are open; there were {may_be_open}."
    if is_open < may_be_open:
        yield f"Only {is_open} rows are open: lower ratchet.toml from {may_be_open}."


def render(rows: Mapping[str, Row], marked: Mapping[str, set[str]]) -> str:
    """Return the page."""
    counts = ", ".join(f"{sum(row.state == state for row in rows.values())} {state}" for state in STATES)
    head = f"# OWASP ASVS 5.0\n\nGenerated from `docs/security/asvs/*.toml`. {len(rows)} rows: {counts}.\n"
    lines = [head, "| row | level | requirement | state | proof |", "| --- | --- | --- | --- | --- |"]
    for row in rows.values():
        proof = ", ".join(f"`{path}`" for path in sorted(marked.get(row.id, ()))) if row.state == "test" else row.proof
        told = " ".join(filter(None, [proof, row.reason])).replace("|", "\\|")
        requirement = row.requirement.replace("|", "\\|")
        lines.append(f"| {row.id} | {row.level} | {requirement} | {row.state} | {told} |")
    return "\n".join(lines) + "\n"


def _problems_of(row: Row, marked: Mapping[str, set[str]], root: Path) -> Iterator[str]:
    if row.state not in STATES:
        yield f"{row.id} has no state of {', '.join(STATES)}."
    if row.state == "test" and row.id not in marked:
        yield f"{row.id} says that a test proves it, and none is marked with it."
    if row.state == "open" and row.id in marked:
        yield f"{row.id} is open, and {sorted(marked[row.id])[0]} proves it."
    if row.state in ("setting", "document") and not (row.proof and (root / row.proof).is_file()):
        yield f"{row.id} names {row.proof!r} for its proof, which is no file."
    if row.state in ("not_applicable", "open") and not row.reason:
        yield f"{row.id} is {row.state} without a reason."
