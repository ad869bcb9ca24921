"""The chores fail on runs that look successful and prove nothing."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

import chores
from auth_core.testing import postgresql


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tests outside the workspace, whose settings do not apply there."""
    monkeypatch.setattr(chores, "ROOT", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


@pytest.fixture
def no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without servers."""
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.delenv("TEST_REDIS_URL", raising=False)
    monkeypatch.setattr(chores, "LOCAL_POSTGRESQL", "postgres://127.0.0.1:1/x")
    monkeypatch.setattr(postgresql, "is_installed", lambda: False)


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


@pytest.mark.parametrize("name", ["TEST_DATABASE_URL", "TEST_REDIS_URL"])
def test_a_named_server_that_does_not_respond_is_a_failure(
    no_servers: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "redis://127.0.0.1:1")

    with pytest.raises(chores.StepFailed, match=name), chores.real_servers():
        pass


def test_a_machine_without_servers_prints_a_notice(
    no_servers: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chores, "IS_CI", False)

    with chores.real_servers() as servers:
        assert servers is None

    assert "NOT run on PostgreSQL and Redis" in capsys.readouterr().out


def test_in_ci_a_machine_without_servers_is_a_failure(no_servers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "IS_CI", True)

    with pytest.raises(chores.StepFailed, match="in CI"), chores.real_servers():
        pass


def test_the_postgresql_of_a_run_stops_afterwards() -> None:
    with chores._own_postgresql() as url:
        assert url != chores.LOCAL_POSTGRESQL
        assert chores._answers(url)

    assert not chores._answers(url)


def test_a_running_postgresql_is_used_if_none_can_be_started(no_servers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgres://127.0.0.1:{server.getsockname()[1]}/x"
        monkeypatch.setattr(chores, "LOCAL_POSTGRESQL", url)

        with chores._own_postgresql() as used:
            assert used == url


def test_the_redis_of_a_run_stops_afterwards() -> None:
    server = shutil.which("redis-server")
    assert server, "install redis-server"

    with chores._own_redis(server) as url:
        assert chores._answers(url)

    assert not chores._answers(url)


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
