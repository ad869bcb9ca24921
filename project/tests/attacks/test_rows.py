"""Every attack of the catalogue has a test here, or the part of the service with which it comes."""

import ast
import re
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent
ROWS = tomllib.loads((FOLDER / "rows.toml").read_text())

#: One row in three of the catalogue, from A003 to A189.
CATALOGUE = [f"A{number:03d}" for number in range(3, 190, 3)]


def written() -> dict[str, str]:
    """Return the docstring of each test, by file and name."""
    found = {}
    for path in FOLDER.glob("test_*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found[f"{path.name}::{node.name}"] = ast.get_docstring(node) or ""
    return found


def test_every_row_has_a_test_or_the_part_with_which_it_comes() -> None:
    assert sorted([*ROWS["tests"], *ROWS["comes_with"]]) == CATALOGUE


def test_every_test_of_a_row_exists_and_names_the_row() -> None:
    tests = written()

    for row, names in ROWS["tests"].items():
        assert names, row
        for name in names:
            assert name in tests, f"{row}: {name} is not there"
            assert re.search(r"\bA\d{3}\b", tests[name]), f"{name} does not say which row it tries"


def test_every_test_of_an_attack_belongs_to_a_row() -> None:
    listed = {name for names in ROWS["tests"].values() for name in names}
    attacks = {name for name in written() if not name.startswith("test_rows.py")}

    assert attacks == listed


def test_every_row_that_comes_later_says_with_what() -> None:
    assert all(re.match(r"[A-Z]?[\w ]+: .{10,}", reason) for reason in ROWS["comes_with"].values())
