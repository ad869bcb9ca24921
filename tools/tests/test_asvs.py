"""No row of ASVS is without a proof or a state, and no proof without a file."""

import os
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from asvs.rows import Row, load, marks, problems, render, unproved

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs/security/asvs"
ROWS = load(FOLDER)
MARKS = marks(ROOT)
MAY_BE_OPEN = tomllib.loads((FOLDER / "ratchet.toml").read_text())["open"]


def said(rows: dict[str, Row], marked: dict[str, set[str]] | None = None, may_be_open: int | None = None) -> str:
    count = sum(row.state == "open" for row in rows.values()) if may_be_open is None else may_be_open
    return " ".join(problems(rows, MARKS if marked is None else marked, ROOT, count))


def changed(key: str, **changes: str) -> dict[str, Row]:
    return {**ROWS, key: replace(ROWS[key], **changes)}  # type: ignore[arg-type]  # texts alone are changed here


def test_every_row_is_proved_or_says_why_not() -> None:
    assert said(ROWS, may_be_open=MAY_BE_OPEN) == ""


def test_all_rows_are_there() -> None:
    assert len(ROWS) == 223


def test_the_page_is_current() -> None:
    assert (ROOT / "docs/security/asvs.md").read_text() == render(ROWS, MARKS), "run ./dev fix"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (changed("6.2.1", state="perhaps"), "6.2.1 has no state"),
        (changed("10.4.1", state="test"), "10.4.1 says that a test proves it"),
        (changed("6.2.1", state="open", reason="x"), "6.2.1 is open, and"),
        (changed("2.1.1", proof="docs/nothing.md"), "2.1.1 names 'docs/nothing.md'"),
        (changed("1.2.6", reason=""), "1.2.6 is not_applicable without a reason"),
    ],
)
def test_a_planted_defect_is_seen(rows: dict[str, Row], message: str) -> None:
    assert message in said(rows)


def test_a_mark_of_no_row_is_seen() -> None:
    assert "99.9.9 is marked" in said(ROWS, {**MARKS, "99.9.9": {"a test"}})


def test_one_more_open_row_is_seen() -> None:
    assert "rows are open" in said(changed("1.2.6", state="open"), may_be_open=MAY_BE_OPEN)


def test_the_ratchet_follows_when_fewer_are_open() -> None:
    assert "lower ratchet.toml" in said(ROWS, may_be_open=MAY_BE_OPEN + 1)


MARKED = """import pytest

@pytest.mark.asvs("6.2.1")
@pytest.mark.parametrize("number", [1, 2])
def test_one(number): {body}

@pytest.mark.asvs("6.2.2")
def test_two(): pass
# @pytest.mark.asvs("6.2.3")
"""


def run_marked(folder: Path, body: str, *options: str) -> list[str]:
    """Run two marked tests, of which the first has *body*; return what is then unproved."""
    ledger = folder / "ledger"
    ledger.mkdir()
    (folder / "test_marked.py").write_text(MARKED.format(body=body))
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    asvs: a row\n")
    environment = {**os.environ, "ASVS_LEDGER": str(ledger), "PYTHONPATH": str(ROOT / "tools")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:django", "-p", "no:cacheprovider", "-p", "asvs.ledger"]
    subprocess.run([*command, *options], cwd=folder, env=environment, check=False, capture_output=True)
    place = os.path.relpath(folder / "test_marked.py", ROOT)
    return list(unproved({"6.2.1": {f"{place}::test_one"}, "6.2.2": {f"{place}::test_two"}}, ledger))


def test_tests_that_ran_and_passed_prove_their_rows(tmp_path: Path) -> None:
    assert run_marked(tmp_path, "pass") == []


@pytest.mark.parametrize(
    ("body", "options"),
    [("assert False", []), ("pytest.skip('not today')", []), ("pass", ["--deselect", "test_marked.py::test_one"])],
    ids=["failed", "skipped", "deselected"],
)
def test_a_marked_test_that_did_not_pass_proves_nothing(tmp_path: Path, body: str, options: list[str]) -> None:
    (missing,) = run_marked(tmp_path, body, *options)

    assert missing.startswith("6.2.1 is to be proved by")


def test_a_mark_in_a_comment_or_a_text_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "packages/one/tests"
    folder.mkdir(parents=True)
    (folder / "test_marked.py").write_text(MARKED.format(body="'@pytest.mark.asvs(\"6.2.4\")'"))

    assert marks(tmp_path) == {
        "6.2.1": {"packages/one/tests/test_marked.py::test_one"},
        "6.2.2": {"packages/one/tests/test_marked.py::test_two"},
    }


def test_a_mark_of_a_whole_module_is_one_of_each_test(tmp_path: Path) -> None:
    folder = tmp_path / "project/tests"
    folder.mkdir(parents=True)
    (folder / "test_marked.py").write_text(
        'import pytest\npytestmark = pytest.mark.asvs("6.2.1")\ndef test_one(): pass\n'
    )

    assert marks(tmp_path) == {"6.2.1": {"project/tests/test_marked.py::test_one"}}
