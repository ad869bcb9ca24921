"""Every attack of the catalogue has a test here, or a missing feature that it depends on."""

import ast
import re
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent
ROWS = tomllib.loads((FOLDER / "rows.toml").read_text())

#: One row in three of the catalogue, from A003 to A189.
CATALOGUE = [f"A{number:03d}" for number in range(3, 190, 3)]


def docstrings() -> dict[str, str]:
    """Return the docstring of each test, by file and name."""
    tests = {}
    for path in FOLDER.glob("test_*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                tests[f"{path.name}::{node.name}"] = ast.get_docstring(node) or ""
    return tests


def test_every_row_has_a_test_or_a_missing_feature() -> None:
    assert sorted([*ROWS["tests"], *ROWS["comes_with"]]) == CATALOGUE


def test_every_test_of_a_row_exists_and_names_the_row() -> None:
    tests = docstrings()

    for row, names in ROWS["tests"].items():
        assert names, row
        for name in names:
            assert name in tests, f"{row}: {name} does not exist"
            assert re.search(r"\bA\d{3}\b", tests[name]), f"{name} does not name its row"


def test_every_test_of_an_attack_belongs_to_a_row() -> None:
    listed = {name for names in ROWS["tests"].values() for name in names}
    attacks = {name for name in docstrings() if not name.startswith("test_rows.py")}

    assert attacks == listed


def test_every_row_without_a_test_names_the_feature() -> None:
    assert all(re.match(r"[A-Z]?[\w ]+: .{10,}", reason) for reason in ROWS["comes_with"].values())
