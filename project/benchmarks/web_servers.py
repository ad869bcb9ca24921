"""The cost of web servers, and their response to slow bodies (decision record 0031).

Production settings, two workers of four threads, its own PostgreSQL database and Redis, HTTP without
TLS. All servers run at once. ``wrk`` with sixteen connections measures them in turns of two seconds,
so a busy machine affects all equally. Prints the requests per second and the processor time of the
server's processes per request. Then thirty clients send part of a body to each server, and
``health/`` is requested ten times.

waitress is not a dependency. Install it into the environment to measure it.

    python project/benchmarks/web_servers.py [--rounds N] [postgres://user@host:port/postgres]
"""

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import requests
from rbac_http import PASSWORD, configure

BIN = Path(sys.executable).parent
WORKERS, THREADS, CONNECTIONS, SECONDS, SLOW = 2, 4, 16, 2, 30
WSGI = "enterprise_auth.wsgi:application"
SLOW_BODY = b"POST /api/v1/login/ HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"

#: waitress has no workers, so two processes accept from one socket.
WAITRESS = f"""
import os, signal, socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
children = [os.fork() for _worker in range({WORKERS - 1})]
if all(children):
    signal.signal(signal.SIGTERM, lambda *_signal: ([os.kill(child, signal.SIGTERM) for child in children], os._exit(0)))
from waitress import serve
from enterprise_auth.wsgi import application
serve(application, sockets=[listener], threads={THREADS}, clear_untrusted_proxy_headers=False)
"""


def commands(port: int) -> dict[str, list[str]]:
    """Return the command of each server for *port*."""
    address = ["--host", "127.0.0.1", "--port", str(port)]
    pool = ["--workers", str(WORKERS), "--threads", str(THREADS)]
    by_name = {
        "granian, WSGI": [
            str(BIN / "granian"), *address, "--interface", "wsgi", "--workers", str(WORKERS),
            "--blocking-threads", str(THREADS), "--no-ws", "--log-level", "warning", WSGI,
        ],
        "enterprise_auth.web_server": [sys.executable, "-m", "enterprise_auth.web_server", *address],
        "gunicorn, gthread": [str(BIN / "gunicorn"), "-c", os.devnull, "-k", "gthread", *pool, "-b", f"127.0.0.1:{port}", WSGI],
        "gunicorn, asgi": [str(BIN / "gunicorn"), "-c", "gunicorn.conf.py", *pool, "-b", f"127.0.0.1:{port}", WSGI],
    }  # fmt: skip
    if find_spec("waitress"):
        by_name["waitress"] = [sys.executable, "-c", WAITRESS, str(port)]
    return by_name


class Server:
    """One server under test."""

    def __init__(self, name: str, service: Any, stack: ExitStack) -> None:
        from live.service import ROOT, free_port  # noqa: PLC0415 - it reads Django's settings

        self.port = free_port()
        environment = {
            **service.variables(),
            "PUBLIC_URL": "https://localhost", "TRUSTED_PROXIES": "127.0.0.1",
            "WEB_WORKERS": str(WORKERS), "WEB_THREADS": str(THREADS),
        }  # fmt: skip
        command = commands(self.port)[name]
        self._process = subprocess.Popen(
            command, env=environment, cwd=ROOT / "project", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        stack.callback(self._end)

    @property
    def process(self) -> int:
        """The id of its first process."""
        return self._process.pid

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=60)

    def is_healthy(self, seconds: float) -> bool:
        """Return whether the server answers in time."""
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/health/", timeout=seconds).ok
        except requests.RequestException:
            return False

    def ask(self, path: str, credential: str, seconds: int = SECONDS) -> tuple[float, float]:
        """Return requests per second, and milliseconds of processor time per request. A wrong response ends the run."""
        before = self._processor_time()
        headers = [f"Authorization: Session {credential}", "X-Forwarded-Proto: https", "Host: localhost"]
        options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s"]
        url = f"http://127.0.0.1:{self.port}/{path}"
        command = ["wrk", *options, *(part for header in headers for part in ("-H", header)), url]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in output:
            raise SystemExit(output)
        count = int(re.search(r"(\d+) requests in", output)[1])  # type: ignore[index]  # wrk always prints it
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])  # type: ignore[index]  # as above
        return rate, (self._processor_time() - before) * 1_000 / max(count, 1)

    def _processor_time(self) -> float:
        total, waiting = 0, [self._process.pid]
        while waiting:
            folder = Path(f"/proc/{waiting.pop()}")
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
            for children in folder.glob("task/*/children"):
                waiting += map(int, children.read_text().split())
        return total / os.sysconf("SC_CLK_TCK")


def measure(servers: dict[str, Server], credential: str, rounds: int) -> None:
    """Measure the servers in turns and print the medians."""
    for server in servers.values():
        for _time in range(3):
            server.ask("api/v1/me/", credential)
    for path in ("api/v1/me/", "health/"):
        figures: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for _round in range(rounds):
            for name, server in servers.items():
                figures[name].append(server.ask(path, credential))
        first = statistics.median(rate for rate, _cost in figures["granian, WSGI"])
        for name, turns in figures.items():
            rate, cost = (statistics.median(values) for values in zip(*turns, strict=True))
            print(
                f"{path} {name}: {rate:.0f}/s ({rate / first:.2f} x granian WSGI), {cost:.2f} ms of processor",
                flush=True,
            )


def attack(servers: dict[str, Server]) -> None:
    """Send slow bodies to each server and count the responses to ``health/``."""
    for name, server in servers.items():
        with ExitStack() as stack:
            for _client in range(SLOW):
                client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
                client.sendall(SLOW_BODY)
            time.sleep(1)
            answered = sum(server.is_healthy(2) for _time in range(10))
        print(f"{SLOW} slow bodies, {name}: {answered} of 10 health checks are answered", flush=True)


def main(rounds: int) -> None:
    """Start all servers, measure them, and send slow bodies."""
    from live.redises import Redises  # noqa: PLC0415 - it reads Django's settings
    from live.service import Service  # noqa: PLC0415 - as above

    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    (folder / "a").mkdir()
    try:
        with Redises(folder) as redises, Service(folder / "a", redises.url_of("a")) as service, ExitStack() as stack:
            address = "alice@example.org"
            service.manage("create_user", "--email", address, "--verified", stdin=f"{PASSWORD}\n")
            body = {"identifier": address, "password": PASSWORD, "transport": "token"}
            credential = service.post("login/", body).json()["credential"]
            servers = {name: Server(name, service, stack) for name in commands(0)}
            while not all(server.is_healthy(2) for server in servers.values()):
                time.sleep(0.2)
            measure(servers, credential, rounds)
            attack(servers)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("url", nargs="?", default="postgres://postgres@127.0.0.1:5432/postgres")
    arguments = parser.parse_args()
    configure(arguments.url)
    main(arguments.rounds)
