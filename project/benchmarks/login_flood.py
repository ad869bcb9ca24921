"""Logins and the response times of a signed-in user while many callers log in (decision records 0018 and 0043).

The composed service as in ``rbac_http.py``: production settings, the web server with two workers and TLS, its own
PostgreSQL and Redis. The callers log in with wrong passwords, each for another identifier and as fast as they are
answered. A refused one waits for ``Retry-After``. One client with a session requests ``me/`` twenty times a second.

    python project/benchmarks/login_flood.py [--seconds N] [--callers N,N] [--queue N] [--threads N]
        [postgres://user@host:port/postgres]
"""

import argparse
import asyncio
import multiprocessing
import shutil
import ssl
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from rbac_http import PASSWORD, configure

#: How often the signed-in user requests ``me/``, in seconds.
_INTERVAL = 0.05


class Connection:
    """One kept-alive connection to the service."""

    def __init__(self, port: int, certificate: str) -> None:
        self._port = port
        self._context = ssl.create_default_context(cafile=certificate)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, method: str, path: str, body: bytes = b"", *headers: str) -> int:
        """Send a request, read the response, and return its status."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("localhost", self._port, ssl=self._context)
        reader, writer = self._streams
        lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{self._port}", f"Content-Length: {len(body)}", *headers]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = next((line[15:] for line in head.split("\r\n") if line.startswith("content-length:")), "")
        if length:
            await reader.readexactly(int(length))
        elif "transfer-encoding: chunked" in head:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readexactly(2)
        if "connection: close" in head:
            writer.close()
            self._streams = None
        return int(head.split()[1])


async def log_in(number: int, connection: Connection, until: float, took: dict[int, list[float]]) -> None:
    """Log in with wrong passwords until *until*. Add the response times by status, in milliseconds."""
    guesses = 0
    while time.time() < until:
        identifier = f"n{number}-{guesses}@example.org"
        body = f'{{"identifier":"{identifier}","password":"wrong all the time","transport":"token"}}'.encode()
        began = time.perf_counter()
        status = await connection.call("POST", "/api/v1/login/", body, "Content-Type: application/json")
        took.setdefault(status, []).append((time.perf_counter() - began) * 1_000)
        guesses += 1
        if status == 503:
            await asyncio.sleep(1)


async def ask(connections: list[Connection], credential: str, until: float, took: list[float]) -> None:
    """Request ``me/`` in fixed intervals, late or not, so that a slow answer is counted as long as it was waited for."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for connection in connections:
        free.put_nowait(connection)

    async def one(due: float) -> None:
        connection = await free.get()
        status = await connection.call("GET", "/api/v1/me/", b"", f"Authorization: Session {credential}")
        took.append((time.perf_counter() - due) * 1_000)
        free.put_nowait(connection)
        if status != 200:
            raise SystemExit(f"me/ answered {status}")

    requests = []
    while time.time() < until:
        requests.append(asyncio.create_task(one(time.perf_counter())))
        await asyncio.sleep(_INTERVAL)
    await asyncio.gather(*requests)


def load(port: int, certificate: str, credential: str, callers: int, seconds: float, results: Any) -> None:
    """Run *callers* callers and the signed-in user for *seconds*, in a process of its own."""
    logins: dict[int, list[float]] = {}
    me: list[float] = []

    async def run() -> None:
        until = time.time() + seconds
        connections = [Connection(port, certificate) for _number in range(callers + 20)]
        flood = (log_in(number, connections[number], until, logins) for number in range(callers))
        await asyncio.gather(ask(connections[callers:], credential, until, me), *flood)

    asyncio.run(run())
    results.put((logins, me))


def percentile(took: list[float], most: int) -> float:
    """Return a percentile in milliseconds."""
    return statistics.quantiles(took, n=100)[most - 1] if len(took) > 1 else float("nan")


def measure(environment: dict[str, str], callers: list[int], seconds: float) -> None:
    """Start the service and print one line for each number of callers."""
    from live.redises import Redises  # noqa: PLC0415 - it reads Django's settings
    from live.service import Service  # noqa: PLC0415 - as above

    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    (folder / "a").mkdir()
    processes = multiprocessing.get_context("fork")
    try:
        with (
            Redises(folder) as redises,
            Service(folder / "a", redises.url_of("a"), environment=environment) as service,
        ):
            address = "alice@example.org"
            service.manage("create_user", "--email", address, "--verified", stdin=f"{PASSWORD}\n")
            body = {"identifier": address, "password": PASSWORD, "transport": "token"}
            credential = service.post("login/", body).json()["credential"]
            for number in (0, *callers):
                results = processes.Queue()
                parameters = (service.port, str(service.certificate), credential, number, seconds, results)
                running = processes.Process(target=load, args=parameters)
                running.start()
                logins, me = results.get(timeout=seconds + 120)
                running.join()
                print(line(number, seconds, logins, me), flush=True)
    finally:
        shutil.rmtree(folder)


def line(callers: int, seconds: float, logins: dict[int, list[float]], me: list[float]) -> str:
    """Return the results for one number of callers."""
    checked = [took for status, times in logins.items() if status != 503 for took in times]
    statuses = dict(Counter({status: len(times) for status, times in logins.items()}))
    rate = len(checked) / seconds
    text = f"{callers} callers: {rate:.1f} logins/s {statuses}"
    if checked:
        expected = callers / rate * 1_000
        text += f", p50 {percentile(checked, 50):.0f} ms, p95 {percentile(checked, 95):.0f} ms"
        text += f" ({percentile(checked, 95) / expected:.2f} x callers / rate)"
    return (
        f"{text}; me/ p50 {percentile(me, 50):.1f} ms, p95 {percentile(me, 95):.1f} ms, p99 {percentile(me, 99):.1f} ms"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--callers", default="32,200")
    parser.add_argument("--threads", default="2", help="WEB_LOGIN_THREADS")
    parser.add_argument("--queue", default="64", help="WEB_LOGIN_QUEUE")
    parser.add_argument("url", nargs="?", default="postgres://postgres@127.0.0.1:5432/postgres")
    arguments = parser.parse_args()
    configure(arguments.url)
    variables = {
        "WEB_THREADS": "4", "WEB_LOGIN_THREADS": arguments.threads, "WEB_LOGIN_QUEUE": arguments.queue,
        "LIVE_HASHES": arguments.threads,
    }  # fmt: skip
    measure(variables, [int(number) for number in arguments.callers.split(",")], arguments.seconds)
