"""A rule of ruff or mypy is switched off with a reason only."""

import subprocess
import sys
from pathlib import Path

import pytest

from house_lint.ignores import MESSAGE, unexplained


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "# noqa: E501",
        "# NOQA:E501",
        "# noqa: E402, F401",
        "# noqa: E501 - ",
        "# type: ignore",
        "# type: ignore[attr-defined]",
        "# type:ignore[attr-defined, misc]",
        "# type: ignore[attr-defined]  # noqa: SLF001",
    ],
)
def test_a_directive_without_a_reason_is_found(comment: str) -> None:
    assert list(unexplained(f"y = 2\nx = 1  {comment}\n")) == [2]


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: E501 - a table",
        "# noqa: E402, F401 - as above",
        "# type: ignore[attr-defined]  # set by Django",
        "# type: ignore[attr-defined]  # noqa: SLF001 - there is no public hook",
        "# a comment",
    ],
)
def test_a_directive_with_a_reason_and_other_comments_are_accepted(comment: str) -> None:
    assert list(unexplained(f"x = 1  {comment}\n")) == []


def test_a_text_that_looks_like_a_directive_is_accepted() -> None:
    assert list(unexplained('x = "# noqa"\n')) == []


def test_the_command_fails_on_a_planted_directive(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / "sample.py").write_text("x = 1  # noqa: E501\n")

    checked = subprocess.run(
        [sys.executable, "-m", "house_lint", str(tmp_path)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 1
    assert f"sample.py:1: {MESSAGE}" in checked.stdout
