"""A cell: one service under load, with a database and a Redis of its own in the servers of the benchmark."""

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from harness.servers import BenchPostgreSQL, BenchRedis
from harness.traffic import Traffic

#: As decision record 0031 has it: two workers of four threads.
WORKERS, THREADS = 2, 4

PASSWORD = "correct horse battery staple"  # noqa: S105 - of seeded people

#: So many people have a session before the load of a session check begins.
SIGNED_IN = 64

#: The objects for which the caller of decisions has a permission.
OBJECTS = 50


@dataclass(frozen=True, slots=True)
class Place:
    """Where the cells run.

    Args:
        folder: For logs and files.
        people: The number of seeded people.
        once: The number of seeded one-time values of each kind.
    """

    postgresql: BenchPostgreSQL
    redis: BenchRedis
    folder: Path
    people: int
    once: int = 0


@dataclass
class Cell:
    """One service.

    Args:
        name: As the report shows it.
        group: ``product``, ``before``, ``peer`` or ``floor``.
        job: The benchmark.
        database: The name of its database.
        traffic: What its callers send, by the name of a variant.
        process: The id of its first process.
        port: Where it listens.
    """

    name: str
    group: str
    job: str
    database: str
    redis: BenchRedis
    traffic: dict[str, Traffic] = field(default_factory=dict)
    process: int = 0
    port: int = 0


@contextmanager
def serving(
    cell: Cell, command: Sequence[str], environment: Mapping[str, str], *, cwd: Path, health: str, log: Path
) -> Iterator[None]:
    """Run the server of *cell* with *command*, whose ``{port}`` is replaced.

    Raises:
        RuntimeError: it does not answer *health* in two minutes.
    """
    cell.port = free_port()
    with log.open("wb") as output:
        server = subprocess.Popen(
            [part.replace("{port}", str(cell.port)) for part in command],
            env={"PATH": os.environ["PATH"], "HOME": str(log.parent), **environment, "PORT": str(cell.port)},
            cwd=cwd, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 120
            while not _answers(cell.port, health):
                if time.monotonic() > deadline or server.poll() is not None:
                    raise RuntimeError(f"{cell.name} does not start:\n{log.read_text()[-3000:]}")
                time.sleep(0.1)
            cell.process = server.pid
            yield
        finally:
            server.terminate()
            try:
                server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def call(port: int, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
    """Send one request with JSON to a cell and return the JSON of its response.

    Raises:
        RuntimeError: the status is no success.
    """
    content = b"" if body is None else json.dumps(body).encode()
    kind = {} if body is None else {"Content-Type": "application/json"}
    return send(port, "GET" if body is None else "POST", path, content, {**kind, **(headers or {})})


def send(port: int, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Any:
    """Send one request to a cell and return the JSON of its response.

    Raises:
        RuntimeError: the status is no success.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body or None, {"Host": "localhost", **headers})
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    if not 200 <= response.status < 300:
        raise RuntimeError(f"{path}: {response.status} {content[:500]!r}")
    return json.loads(content)


def run_checked(command: Sequence[str], environment: Mapping[str, str], *, cwd: Path, stdin: str = "") -> str:
    """Run a command to its end and return what it printed.

    Raises:
        RuntimeError: it failed.
    """
    done = subprocess.run(
        command, env={"PATH": os.environ["PATH"], **environment}, cwd=cwd, input=stdin, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def copy_rows(
    connection: "psycopg.Connection[Any]", table: str, columns: Sequence[str], rows: Iterator[Sequence[Any]]
) -> None:
    """Insert *rows* by COPY."""
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor().copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:  # type: ignore[call-overload]  # names of this package
        for row in rows:
            copy.write_row(row)


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int, path: str) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path, headers={"Host": "localhost", "X-Forwarded-Proto": "https"})
        return connection.getresponse().status < 500
    except OSError:
        return False
