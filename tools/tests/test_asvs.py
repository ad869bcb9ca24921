"""Every ASVS row has a state and a proof, and every proof is a file."""

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


def problems_text(
    rows: dict[str, Row], marked: dict[str, set[str]] | None = None, may_be_open: int | None = None
) -> str:
    count = sum(row.state == "open" for row in rows.values()) if may_be_open is None else may_be_open
    return " ".join(problems(rows, MARKS if marked is None else marked, ROOT, count))


def changed(key: str, **changes: str) -> dict[str, Row]:
    return {**ROWS, key: replace(ROWS[key], **changes)}  # type: ignore[arg-type]  # only text fields are changed


def test_every_row_has_a_proof_or_a_reason() -> None:
    assert problems_text(ROWS, may_be_open=MAY_BE_OPEN) == ""


def test_no_row_is_missing() -> None:
    assert len(ROWS) == 223


def test_the_page_is_current() -> None:
    assert (ROOT / "docs/security/asvs.md").read_text() == render(ROWS, MARKS), "run ./dev fix"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (changed("6.2.1", state="perhaps"), "6.2.1 has an unknown state"),
        (changed("10.5.5", state="test"), "10.5.5 has the state test"),
        (changed("6.2.1", state="open", reason="x"), "6.2.1 is open, but"),
        (changed("2.1.1", proof="docs/nothing.md"), "2.1.1 names 'docs/nothing.md'"),
        (changed("1.2.6", reason=""), "1.2.6 is not_applicable without a reason"),
    ],
)
def test_a_wrong_row_is_reported(rows: dict[str, Row], message: str) -> None:
    assert message in problems_text(rows)


def test_a_mark_of_an_unknown_row_is_reported() -> None:
    assert "99.9.9 is marked" in problems_text(ROWS, {**MARKS, "99.9.9": {"a test"}})


def test_too_many_open_rows_are_reported() -> None:
    assert "rows are open" in problems_text(changed("1.2.6", state="open"), may_be_open=MAY_BE_OPEN)


def test_a_maximum_that_is_too_high_is_reported() -> None:
    assert "Lower the maximum in ratchet.toml" in problems_text(ROWS, may_be_open=MAY_BE_OPEN + 1)


MARKED = """import pytest

@pytest.mark.asvs("6.2.1")
@pytest.mark.parametrize("number", [1, 2])
def test_one(number): {body}

@pytest.mark.asvs("6.2.2")
def test_two(): pass
# @pytest.mark.asvs("6.2.3")
"""


def run_marked(folder: Path, body: str, *options: str) -> list[str]:
    """Run two marked tests, the first with *body*, and return the unproved ones."""
    ledger = folder / "ledger"
    ledger.mkdir()
    (folder / "test_marked.py").write_text(MARKED.format(body=body))
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    asvs: a row\n")
    environment = {**os.environ, "ASVS_LEDGER": str(ledger), "PYTHONPATH": str(ROOT / "tools")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:django", "-p", "no:cacheprovider", "-p", "asvs.ledger"]
    subprocess.run([*command, *options], cwd=folder, env=environment, check=False, capture_output=True)
    path = os.path.relpath(folder / "test_marked.py", ROOT)
    return list(unproved({"6.2.1": {f"{path}::test_one"}, "6.2.2": {f"{path}::test_two"}}, ledger))


def test_passed_tests_prove_their_rows(tmp_path: Path) -> None:
    assert run_marked(tmp_path, "pass") == []


@pytest.mark.parametrize(
    ("body", "options"),
    [("assert False", []), ("pytest.skip('not today')", []), ("pass", ["--deselect", "test_marked.py::test_one"])],
    ids=["failed", "skipped", "deselected"],
)
def test_a_marked_test_that_did_not_pass_proves_nothing(tmp_path: Path, body: str, options: list[str]) -> None:
    (missing,) = run_marked(tmp_path, body, *options)

    assert missing.startswith("6.2.1 should be proved by")


def test_a_mark_in_a_comment_or_a_string_does_not_count(tmp_path: Path) -> None:
    folder = tmp_path / "packages/one/tests"
    folder.mkdir(parents=True)
    (folder / "test_marked.py").write_text(MARKED.format(body="'@pytest.mark.asvs(\"6.2.4\")'"))

    assert marks(tmp_path) == {
        "6.2.1": {"packages/one/tests/test_marked.py::test_one"},
        "6.2.2": {"packages/one/tests/test_marked.py::test_two"},
    }


def test_a_mark_of_a_module_applies_to_each_test(tmp_path: Path) -> None:
    folder = tmp_path / "project/tests"
    folder.mkdir(parents=True)
    (folder / "test_marked.py").write_text(
        'import pytest\npytestmark = pytest.mark.asvs("6.2.1")\ndef test_one(): pass\n'
    )

    assert marks(tmp_path) == {"6.2.1": {"project/tests/test_marked.py::test_one"}}
