"""Every row about the provider has tests that exist."""

from dataclasses import replace
from pathlib import Path

import pytest

from planted.defects import load
from provider.rows import Row, Table, load_modules, load_tables, problems, render

ROOT = Path(__file__).resolve().parents[2]
TABLES = load_tables(ROOT)
MODULES = load_modules(ROOT, load())


def test_every_row_has_its_tests() -> None:
    assert list(problems(TABLES, ROOT)) == []


def test_no_row_is_missing() -> None:
    assert [len(table.rows) for table in TABLES] == [33, 42, 12, 34]


def test_the_page_is_current() -> None:
    assert (ROOT / "docs/security/provider.md").read_text() == render(TABLES, MODULES), "run ./dev fix"


def test_every_module_is_on_the_page_with_a_defect_that_fails_it() -> None:
    assert len(MODULES) == 54 + 18 + 57
    assert [module.name for module in MODULES if not module.defects] == []
    assert [module.name for module in MODULES if not (ROOT / module.test.partition("::")[0]).is_file()] == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (Row("A", "B"), "A: name its tests, or what it comes with."),
        (Row("A", "B", (TABLES[0].rows[0].tests[0],), "later"), "A: name its tests, or what it comes with."),
        (Row("A", "B", ("tools/tests/test_provider.py::test_nothing",)), "A: there is no test tools/tests/"),
        (Row("A", "B", ("tools/tests/nothing.py::test_a",)), "A: there is no test tools/tests/nothing.py::test_a."),
    ],
)
def test_a_wrong_row_is_reported(row: Row, message: str) -> None:
    (problem,) = problems([replace(TABLES[0], rows=(row,)), Table("empty", ())], ROOT)

    assert problem.startswith(message)
