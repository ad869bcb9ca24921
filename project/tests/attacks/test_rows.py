"""Every attack of the catalogue has a test here, or a missing feature that it depends on."""

import ast
import re
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[2]
ROWS = tomllib.loads((FOLDER / "rows.toml").read_text())

#: One row in three of the catalogue, from A003 to A189.
CATALOGUE = [f"A{number:03d}" for number in range(3, 190, 3)]


def named_in(path: Path) -> dict[str, str]:
    """Return the docstring of each test of a file, by its name."""
    nodes = ast.parse(path.read_text()).body if path.is_file() else []
    functions = (node for node in nodes if isinstance(node, ast.FunctionDef))
    return {node.name: ast.get_docstring(node) or "" for node in functions if node.name.startswith("test_")}


def docstrings() -> dict[str, str]:
    """Return the docstring of each test of this folder, by file and name."""
    files = FOLDER.glob("test_*.py")
    return {f"{path.name}::{name}": text for path in files for name, text in named_in(path).items()}


def listed() -> set[str]:
    """Return the tests of all rows."""
    return {name for names in ROWS["tests"].values() for name in names}


def elsewhere() -> set[tuple[str, str, str]]:
    """Return the tests of rows that are not of this folder: the folder of their settings, the file, and the name."""
    names = (name.split("::") for name in listed() if name.count("::") > 1)
    return {(folder, file, test) for folder, file, test in names}


def test_every_row_has_a_test_or_a_missing_feature() -> None:
    assert sorted([*ROWS["tests"], *ROWS["comes_with"]]) == CATALOGUE


def test_every_test_of_a_row_exists_and_names_the_row() -> None:
    tests = docstrings()

    for row, names in ROWS["tests"].items():
        assert names, row
        for name in (name for name in names if name.count("::") == 1):
            assert name in tests, f"{row}: {name} does not exist"
            assert re.search(r"\bA\d{3}\b", tests[name]), f"{name} does not name its row"


def test_every_test_of_another_folder_exists() -> None:
    missing = [found for found in elsewhere() if found[2] not in named_in(ROOT / found[0] / found[1])]

    assert missing == []


def test_every_test_of_an_attack_belongs_to_a_row() -> None:
    attacks = {name for name in docstrings() if not name.startswith("test_rows.py")}

    assert attacks == {name for name in listed() if name.count("::") == 1}


def test_every_row_without_a_test_names_the_feature() -> None:
    assert all(re.match(r"[A-Z]?[\w ]+: .{10,}", reason) for reason in ROWS["comes_with"].values())
