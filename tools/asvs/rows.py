"""The rows, the tests marked with them, and the problems of both."""

import ast
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

STATES = ("test", "setting", "document", "not_applicable", "open")
_TESTS = (
    "packages/*/tests/**/*.py",
    "packages/*/oauth/tests/**/*.py",
    "packages/*/oauth_resource/tests/**/*.py",
    "packages/*/federation/tests/**/*.py",
    "project/tests/**/*.py",
    "tools/tests/**/*.py",
)


@dataclass(frozen=True)
class Row:
    """One requirement.

    Args:
        id: Such as ``6.2.1``.
        state: The kind of proof, one of `STATES`.
        proof: Path of the setting or document from the root.
        reason: Why it does not apply, or what it depends on.
    """

    id: str
    level: int
    requirement: str
    check: str
    state: str
    proof: str = ""
    reason: str = ""


def load(folder: Path) -> dict[str, Row]:
    """Return all rows by id, in numerical order."""
    rows: dict[str, Row] = {}
    for path in sorted(folder.glob("V*.toml")):
        rows |= {key: Row(id=key, **fields) for key, fields in tomllib.loads(path.read_text(encoding="utf-8")).items()}
    return dict(sorted(rows.items(), key=lambda item: [int(part) for part in item[0].split(".")]))


def marks(root: Path) -> dict[str, set[str]]:
    """Return the ids in marks of tests, each with its tests as ``path::function``.

    The marks come from the syntax tree, so a mark in a comment or a string does not count.
    """
    tests: dict[str, set[str]] = {}
    for path in sorted(path for pattern in _TESTS for path in root.glob(pattern)):
        text = path.read_text(encoding="utf-8")
        if "mark.asvs" in text:
            for row, function in _marks_in(ast.parse(text)):
                tests.setdefault(row, set()).add(f"{path.relative_to(root)}::{function}")
    return tests


def _marks_in(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield each row with each of its tests in a module, marked by a decorator or for the whole module."""
    tests = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(name, ast.Name) and name.id == "pytestmark" for name in node.targets
        ):
            yield from ((row, test.name) for row in _rows_named(node.value) for test in tests)
    for test in tests:
        yield from ((row, test.name) for decorator in test.decorator_list for row in _rows_named(decorator))


def _rows_named(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and ast.unparse(inner.func) == "pytest.mark.asvs":
            yield ast.literal_eval(inner.args[0])


def unproved(marked: Mapping[str, set[str]], ledger: Path) -> Iterator[str]:
    """Yield a sentence for every marked test that did not run and pass.

    Args:
        ledger: Folder with the files of `asvs.ledger`.
    """
    passed: dict[str, set[str]] = {}
    for path in ledger.glob("*.json"):
        for row, tests in json.loads(path.read_text(encoding="utf-8")).items():
            passed.setdefault(row, set()).update(tests)
    for row, tests in marked.items():
        for test in sorted(tests - passed.get(row, set())):
            yield f"{row} should be proved by {test}, which did not run and pass."


def problems(rows: Mapping[str, Row], marked: Mapping[str, set[str]], root: Path, may_be_open: int) -> Iterator[str]:
    """Yield a sentence for every problem."""
    for row in rows.values():
        yield from _problems_of(row, marked, root)
    for unknown in sorted(set(marked) - set(rows)):
        yield f"{unknown} is marked in {sorted(marked[unknown])[0]}, but there is no such row."
    is_open = sum(row.state == "open" for row in rows.values())
    if is_open > may_be_open:
        yield f"{is_open} rows are open; the maximum is {may_be_open}."
    if is_open < may_be_open:
        yield f"Only {is_open} rows are open. Lower the maximum in ratchet.toml from {may_be_open}."


def render(rows: Mapping[str, Row], marked: Mapping[str, set[str]]) -> str:
    """Return the page."""
    counts = ", ".join(f"{sum(row.state == state for row in rows.values())} {state}" for state in STATES)
    head = f"# OWASP ASVS 5.0\n\nGenerated from `docs/security/asvs/*.toml`. {len(rows)} rows: {counts}.\n"
    lines = [head, "| row | level | requirement | state | proof |", "| --- | --- | --- | --- | --- |"]
    for row in rows.values():
        files = sorted({test.partition("::")[0] for test in marked.get(row.id, ())})
        proof = ", ".join(f"`{path}`" for path in files) if row.state == "test" else row.proof
        notes = " ".join(filter(None, [proof, row.reason])).replace("|", "\\|")
        requirement = row.requirement.replace("|", "\\|")
        lines.append(f"| {row.id} | {row.level} | {requirement} | {row.state} | {notes} |")
    return "\n".join(lines) + "\n"


def _problems_of(row: Row, marked: Mapping[str, set[str]], root: Path) -> Iterator[str]:
    if row.state not in STATES:
        yield f"{row.id} has an unknown state. The states are {', '.join(STATES)}."
    if row.state == "test" and row.id not in marked:
        yield f"{row.id} has the state test, but no test is marked with it."
    if row.state == "open" and row.id in marked:
        yield f"{row.id} is open, but {sorted(marked[row.id])[0]} proves it."
    if row.state in ("setting", "document") and not (row.proof and (root / row.proof).is_file()):
        yield f"{row.id} names {row.proof!r} as its proof, which is not a file."
    if row.state in ("not_applicable", "open") and not row.reason:
        yield f"{row.id} is {row.state} without a reason."
