"""The rows of docs/security/provider.toml and the modules of the conformance plans, with the tests of both."""

import ast
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from planted.defects import Defect

#: What the tests in the file begin with, and the folder that it stands for.
_FOLDERS = {
    "T": "packages/auth-core/oauth/tests",
    "R": "packages/auth-core/oauth_resource/tests",
    "P": "project/tests",
}

_CONFORMANCE = "packages/auth-core/oauth/tests/conformance"
_FAPI = "packages/auth-core/oauth/tests/fapi"

#: What the page says of a module whose defect is planted by a test in the same folder.
_PLANTED_THERE = "test_fapi_planted"


@dataclass(frozen=True)
class Row:
    """One thing that the provider must do.

    Args:
        tests: Its tests, as ``path::function`` from the root.
        later: What it comes with, if it is not built yet.
    """

    what: str
    must: str
    tests: tuple[str, ...] = ()
    later: str = ""


@dataclass(frozen=True)
class Table:
    """Rows with one source."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Module:
    """One module of a conformance plan.

    Args:
        test: Its test, as ``path::function`` from the root.
        expected_failure: The reason if it is expected to fail.
        defects: Names of the planted defects under which it fails.
    """

    plan: str
    name: str
    test: str
    expected_failure: str
    defects: tuple[str, ...]


def load_tables(root: Path) -> list[Table]:
    """Return the tables in order."""
    tables = tomllib.loads((root / "docs/security/provider.toml").read_text(encoding="utf-8"))["table"]
    return [Table(table["title"], tuple(_row(**row) for row in table["rows"])) for table in tables]


def load_modules(root: Path, defects: Iterable[Defect]) -> list[Module]:
    """Return the modules of all plans in order."""
    folder = root / _CONFORMANCE
    plans = tomllib.loads((folder / "plans.toml").read_text(encoding="utf-8"))
    failures = tomllib.loads((folder / "expected_failures.toml").read_text(encoding="utf-8"))
    listed = [(defect.name, {_path_of(test) for test in defect.tests}) for defect in defects if defect.is_listed]
    modules = []
    for plan in plans.values():
        for name in plan["modules"]:
            test = f"{_CONFORMANCE}/{plan['file']}::test_{name.replace('-', '_')}"
            names = tuple(defect for defect, tests in listed if test in tests)
            modules.append(Module(plan["name"], name, test, failures.get(name, ""), names))
    return [*modules, *_fapi_modules(root)]


def _fapi_modules(root: Path) -> Iterator[Module]:
    """Yield the modules of the FAPI 2.0 Security Profile. A test plants the defect of each in its own process."""
    folder = root / _FAPI
    names = tomllib.loads((folder / "modules.toml").read_text(encoding="utf-8"))["modules"]
    failures = tomllib.loads((folder / "expected_failures.toml").read_text(encoding="utf-8"))
    files = {function: path.name for path in sorted(folder.glob("test_fapi_*.py")) for function in _functions_in(path)}
    planted = (folder / "defects.py").read_text(encoding="utf-8")
    for name in names:
        function = f"test_{name.replace('-', '_').lower()}"
        test = f"{_FAPI}/{files.get(function, '')}::{function}"
        defects = (_PLANTED_THERE,) if f'"{name}":' in planted else ()
        yield Module("FAPI 2.0 Security Profile", name, test, failures.get(name, ""), defects)


def problems(tables: Sequence[Table], root: Path) -> Iterator[str]:
    """Yield a sentence for every row without a proof, and for every test that does not exist."""
    for row in (row for table in tables for row in table.rows):
        if bool(row.tests) == bool(row.later):
            yield f"{row.what}: name its tests, or what it comes with."
        for test in row.tests:
            path, _colons, function = test.partition("::")
            if not (root / path).is_file() or function not in _functions_in(root / path):
                yield f"{row.what}: there is no test {test}."


def render(tables: Sequence[Table], modules: Sequence[Module]) -> str:
    """Return the page."""
    counts = sum(len(table.rows) for table in tables), sum(bool(row.later) for table in tables for row in table.rows)
    lines = [
        "# The OAuth 2 and OpenID Connect provider\n",
        f"Generated from `docs/security/provider.toml` and the conformance plans. {counts[0]} rows, {counts[1]} still ahead.\n",
        "## OpenID conformance modules\n",
        "The names are those of the OpenID Foundation's suite. Each behaviour has a test of its own here. It is no run of the suite.",
        "Every request of the tests has a code challenge, because this provider requires PKCE. In the suite of August 2026 only one",
        "module of Basic OP sends one, so a run of the suite itself would need clients that do. `./dev planted conformance dynamic` plants the",
        "defects, and a test plants those of FAPI 2.0. The modules of Basic OP run twice, with and without `response_mode=form_post`: the second is the plan Form-post OP.\n",
        "| plan | module | result | defects that fail it |",
        "| --- | --- | --- | --- |",
        *(_module_line(module) for module in modules),
    ]
    for table in tables:
        lines += [f"\n## {table.title}\n", "| what | must be | tests |", "| --- | --- | --- |"]
        lines += [f"| {row.what} | {row.must} | {_proof(row)} |" for row in table.rows]
    return "\n".join(lines) + "\n"


def _module_line(module: Module) -> str:
    result = f"fails as expected: {module.expected_failure}" if module.expected_failure else "passes"
    defects = ", ".join(name.removeprefix("conformance-") for name in module.defects)
    return f"| {module.plan} | `{module.name}` | {result} | {defects} |"


def _proof(row: Row) -> str:
    if row.later:
        return f"Ahead: {row.later}"
    return "<br>".join(f"`{test.rpartition('/')[2]}`" for test in row.tests)


def _row(what: str, must: str, tests: Sequence[str] = (), later: str = "") -> Row:
    paths = tuple(f"{_FOLDERS[folder]}/{rest}" for folder, _slash, rest in (test.partition("/") for test in tests))
    return Row(what, must, paths, later)


def _path_of(test: str) -> str:
    """Return the test of a defect as ``path::function`` from the root, without its variant."""
    folder, path, function = test.partition("[")[0].split("::")
    return f"{folder}/{path}::{function}"


@cache
def _functions_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))
