"""No row of ASVS is without a proof or a state, and no proof without a file."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from asvs.rows import Row, load, marks, problems, render

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
