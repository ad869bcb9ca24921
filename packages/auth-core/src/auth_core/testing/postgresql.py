"""A PostgreSQL server for one test, which may kill and pause it."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psycopg
from django.db import connections

from auth_core.testing.own_server import OwnServer

#: The folder in which distributions install programs outside the path.
_FOLDERS = "/usr/lib/postgresql"

#: The server must survive the crash of its processes, not of the machine. So commits need no sync to disk.
_OPTIONS = ("fsync=off", "full_page_writes=off", "max_connections=300", "log_min_messages=fatal")


class OwnPostgreSQL(OwnServer):
    """A server from the installed binaries, on a Unix socket and a free port of the loopback interface."""

    #: Settings of the server, as ``name=value``.
    options: Sequence[str] = _OPTIONS

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self._data = self._folder / "data"
        self._account = _account()
        self.port = _free_port()

    def __enter__(self) -> Self:
        if self._account:
            shutil.chown(self._folder, self._account)
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """The value for ``DATABASE_URL``."""
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def parameters(self) -> dict[str, Any]:
        """The settings for Django's ``DATABASES``."""
        # Without the options of the test run, because acknowledged commits must survive a kill.
        address = {"NAME": "postgres", "USER": "postgres", "PASSWORD": "", "HOST": "127.0.0.1", "PORT": str(self.port)}
        return {**address, "OPTIONS": {}}

    def start(self) -> None:
        """Start the server with its committed data and wait until it answers."""
        options = (f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self._folder}")
        flags = [part for option in (*options, *self.options) for part in ("-c", option)]
        self._server = subprocess.Popen(
            [_binary("postgres"), "-D", str(self._data), *flags],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._folder, user=self._account,
        )  # fmt: skip
        self._wait(self._server, seconds=20)

    def _processes_of(self, server: "subprocess.Popen[bytes]") -> list[int]:
        """Return the parent and its children. The parent comes first: it would treat the death of a child as a crash."""
        children = subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True, text=True, check=False)
        return [server.pid, *map(int, children.stdout.split())]

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url.replace("postgres://", "postgresql://"), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def _run(self, name: str, *arguments: str) -> None:
        subprocess.run([_binary(name), *arguments], check=True, capture_output=True, cwd="/", user=self._account)


@contextmanager
def run_on_own_server() -> Iterator[None]:
    """Run the tests inside the block on a server of their own instead of the shared one.

    The sealer of the trail waits for the oldest transaction of the whole server, so tests that seal would wait for every
    other user of a shared one. On SQLite, and where PostgreSQL is not installed, the database stays the same.
    """
    settings = connections["default"].settings_dict
    if connections["default"].vendor != "postgresql" or not is_installed():
        yield
        return
    former = dict(settings)
    with OwnPostgreSQL() as server:
        # The options of the test run stay: nothing kills this server.
        settings.update({name: value for name, value in server.parameters.items() if name not in ("NAME", "OPTIONS")})
        try:
            yield
        finally:
            settings.update(former)


@contextmanager
def as_default_database(server: OwnPostgreSQL) -> Iterator[None]:
    """Connect the default connection of this thread to *server*. The backend must be PostgreSQL."""
    connection = connections["default"]
    former = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(server.parameters)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(former)


def is_installed() -> bool:
    """Return whether `OwnPostgreSQL` can run here: the programs and an account for them exist."""
    try:
        _binary("postgres")
        _account()
    except (FileNotFoundError, KeyError):
        return False
    return True


def _binary(name: str) -> str:
    """Return the path of a PostgreSQL program of the newest version.

    Raises:
        FileNotFoundError: the program is not installed.
    """
    installed = sorted(Path(_FOLDERS).glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    path = shutil.which(name) or (str(installed[-1]) if installed else "")
    if not path:
        raise FileNotFoundError(f"{name} is not installed.")
    # Both programs must have the same version, and the path may have only one of them.
    return str(installed[-1]) if installed else path


def _account() -> str | None:
    """Return the account of the server, because it refuses root. ``None`` means the account of the tests."""
    if os.geteuid() != 0:
        return None
    return pwd.getpwnam("postgres").pw_name


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
