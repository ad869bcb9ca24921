"""The chores fail on runs that look successful and prove nothing."""

import subprocess
import time
from pathlib import Path

import pytest

import chores


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tests outside the workspace, whose settings do not apply there."""
    monkeypatch.setattr(chores, "ROOT", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def run_tests(folder: Path, text: str) -> None:
    (folder / "test_it.py").write_text(f"import pytest\n{text}\n")
    chores.pytest(".", "-p", "no:django", "-p", "no:cacheprovider")


def test_passing_tests_are_a_success(folder: Path) -> None:
    run_tests(folder, "def test_it(): pass")


def test_output_after_the_summary_does_not_hide_it(folder: Path) -> None:
    run_tests(folder, "import atexit\ndef test_it(): atexit.register(print, 'later output')")


@pytest.mark.parametrize(
    "planted",
    [
        "def test_it(): assert False",
        "def test_it(): pass\n@pytest.mark.skip\ndef test_that(): pass",
        "def test_it(): pass\n@pytest.mark.xfail\ndef test_that(): assert False",
        "def not_a_test(): pass",
    ],
    ids=["failed", "skipped", "expected to fail", "none"],
)
def test_failed_skipped_and_missing_tests_are_a_failure(folder: Path, planted: str) -> None:
    with pytest.raises(chores.StepFailed):
        run_tests(folder, planted)


def test_an_unknown_chore_prints_the_usage() -> None:
    done = subprocess.run(["sh", "./dev", "nonsense"], cwd=chores.ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "./dev serve" in done.stderr


def test_all_parallel_jobs_end_before_a_failure_is_reported() -> None:
    done: list[str] = []

    def fail() -> None:
        raise chores.StepFailed("the first")

    def succeed_later() -> None:
        time.sleep(0.2)
        done.append("the second")

    with pytest.raises(chores.StepFailed, match="the first"):
        chores.together(fail, succeed_later)

    assert done == ["the second"]


def test_an_unexpected_error_in_a_job_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        chores.together(lambda: 1 / 0)  # type: ignore[arg-type,return-value]  # it never returns
