"""The PostgreSQL and the Redis of a run of tests."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

LOCAL_POSTGRESQL = "postgres://postgres@127.0.0.1:5432/postgres"

IS_CI = os.environ.get("CI", "").lower() == "true"


class StepFailed(Exception):
    """A step failed. The message names it."""


@contextmanager
def real_servers() -> Iterator[tuple[str, str] | None]:
    """Yield the URLs of PostgreSQL and Redis: those of the environment, or servers started for this run.

    A running PostgreSQL is used only if none can be started. Print a notice and yield ``None`` if there are no servers.

    Raises:
        StepFailed: there are none in CI, or a named server does not respond.
    """
    database, redis = os.environ.get("TEST_DATABASE_URL", ""), os.environ.get("TEST_REDIS_URL", "")
    _must_answer(TEST_DATABASE_URL=database, TEST_REDIS_URL=redis)
    with ExitStack() as started:
        database = database or started.enter_context(_own_postgresql())
        redis = redis or started.enter_context(_own_redis(shutil.which("redis-server")))
        if database and redis:
            yield database, redis
            return
    missing = "redis-server" if database else "PostgreSQL"
    print(f"=== NOT run on PostgreSQL and Redis: {missing} was not found.", flush=True)
    if IS_CI:
        raise StepFailed(f"{missing} was not found, and in CI it is required")
    yield None


@contextmanager
def _own_postgresql() -> Iterator[str]:
    """Yield the URL of a PostgreSQL started for this run, of a running one if none is installed, or an empty text."""
    # The only part of the packages that the chores use. It is available after the installation.
    from auth_core.testing.postgresql import OwnPostgreSQL, is_installed  # noqa: PLC0415 - as said

    if is_installed():
        with OwnPostgreSQL() as server:
            yield server.url
    else:
        yield LOCAL_POSTGRESQL if _answers(LOCAL_POSTGRESQL) else ""


@contextmanager
def _own_redis(server: str | None) -> Iterator[str]:
    """Yield the URL of a Redis started for this run, or an empty text if *server*, its program, is ``None``."""
    if server is None:
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        path = f"{folder}/redis.sock"
        process = subprocess.Popen(
            [server, "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder], stdout=subprocess.DEVNULL
        )
        try:
            deadline = time.monotonic() + 10
            while not Path(path).exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            if not Path(path).exists():
                raise StepFailed("redis-server did not start")
            yield f"unix://{path}"
        finally:
            process.terminate()
            process.wait()


def _must_answer(**urls: str) -> None:
    """Refuse a named server that does not respond. Tests would fall back to others, and prove nothing."""
    for name, url in urls.items():
        if url and not _answers(url):
            raise StepFailed(f"no server responds at {name}")


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        if parts.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(parts.path)
        else:
            port = parts.port or {"redis": 6379, "rediss": 6379}.get(parts.scheme, 5432)
            socket.create_connection((parts.hostname or "127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
