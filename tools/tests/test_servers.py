"""The servers of a run of tests are its own, and a missing one does not look like success."""

import shutil
import socket

import pytest

import servers
from auth_core.testing import postgresql


@pytest.fixture
def no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without servers."""
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.delenv("TEST_REDIS_URL", raising=False)
    monkeypatch.setattr(servers, "LOCAL_POSTGRESQL", "postgres://127.0.0.1:1/x")
    monkeypatch.setattr(postgresql, "is_installed", lambda: False)


@pytest.mark.parametrize("name", ["TEST_DATABASE_URL", "TEST_REDIS_URL"])
def test_a_named_server_that_does_not_respond_is_a_failure(
    no_servers: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "redis://127.0.0.1:1")

    with pytest.raises(servers.StepFailed, match=name), servers.real_servers():
        pass


def test_a_machine_without_servers_prints_a_notice(
    no_servers: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(servers, "IS_CI", False)

    with servers.real_servers() as started:
        assert started is None

    assert "NOT run on PostgreSQL and Redis" in capsys.readouterr().out


def test_in_ci_a_machine_without_servers_is_a_failure(no_servers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "IS_CI", True)

    with pytest.raises(servers.StepFailed, match="in CI"), servers.real_servers():
        pass


def test_the_postgresql_of_a_run_stops_afterwards() -> None:
    with servers._own_postgresql() as url:
        assert url != servers.LOCAL_POSTGRESQL
        assert servers._answers(url)

    assert not servers._answers(url)


def test_a_running_postgresql_is_used_if_none_can_be_started(no_servers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgres://127.0.0.1:{server.getsockname()[1]}/x"
        monkeypatch.setattr(servers, "LOCAL_POSTGRESQL", url)

        with servers._own_postgresql() as used:
            assert used == url


def test_the_redis_of_a_run_stops_afterwards() -> None:
    server = shutil.which("redis-server")
    assert server, "install redis-server"

    with servers._own_redis(server) as url:
        assert servers._answers(url)

    assert not servers._answers(url)
