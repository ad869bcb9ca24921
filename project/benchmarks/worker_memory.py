"""The memory of a worker: after its start, and after logins and session checks, relative to a worker of bare Django.

Production settings, two workers of four threads, its own PostgreSQL database and Redis. Each server gets the same logins
from eight clients at once, and the same session checks. PSS counts a page that several processes share in parts. The bare
worker imports Django, psycopg and argon2, and hashes as many passwords in as many threads.

    python project/benchmarks/worker_memory.py [--logins N] [postgres://user@host:port/postgres]
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests
from rbac_http import PASSWORD, configure
from web_servers import THREADS, Server

CLIENTS, CHECKS = 8, 800
SERVERS = ("enterprise_auth.web_server", "gunicorn, asgi")

_BARE = """
import sys, threading
import django.core.handlers.wsgi, django.db.models, psycopg
from argon2.low_level import Type, hash_secret
def work():
    for _time in range(int(sys.argv[1])):
        hash_secret(b"password", b"salt" * 4, 2, 19 * 1024, 1, 32, Type.ID)
def run(count):
    threads = [threading.Thread(target=work) for _thread in range(count)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print("ready", flush=True)
sys.stdin.readline()
run(int(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
"""


def memory_of(process: int) -> tuple[float, float]:
    """Return RSS and PSS of *process*, in MiB."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split()[0]: int(line.split()[1]) / 1024 for line in lines}
    return sizes["Rss:"], sizes["Pss:"]


def workers_of(process: int) -> list[int]:
    """Return the processes below *process* that serve: those without children, with the most memory."""
    found, waiting = [], [process]
    while waiting:
        parent = waiting.pop()
        for children in Path(f"/proc/{parent}").glob("task/*/children"):
            waiting += map(int, children.read_text().split())
        found.append(parent)
    return sorted(found[1:], key=lambda one: memory_of(one)[1], reverse=True)[:2]


def load(port: int, logins: int) -> None:
    """Log in and check sessions, from several clients at once."""
    url, headers = f"http://127.0.0.1:{port}/api/v1", {"X-Forwarded-Proto": "https", "Host": "localhost"}
    body = {"identifier": "alice@example.org", "password": PASSWORD, "transport": "token"}

    def log_in(_number: int) -> str:
        while True:
            answer = requests.post(f"{url}/login/", json=body, headers=headers, timeout=60)
            if answer.ok:
                return str(answer.json()["credential"])
            time.sleep(0.2)

    def check(credential: str) -> None:
        answer = requests.get(f"{url}/me/", headers={**headers, "Authorization": f"Session {credential}"}, timeout=60)
        answer.raise_for_status()

    with ThreadPoolExecutor(CLIENTS) as clients:
        credentials = list(clients.map(log_in, range(logins)))
        list(clients.map(check, (credentials * (CHECKS // logins + 1))[:CHECKS]))


def bare(logins: int) -> list[tuple[float, float]]:
    """Return the memory of the bare worker, before and after its hashes."""
    command = [sys.executable, "-c", _BARE, str(logins // THREADS), str(THREADS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None and stdout is not None  # noqa: PT018, S101 - for mypy
        stages = []
        for _stage in range(2):
            stdout.readline()
            stages.append(memory_of(process.pid))
            stdin.write("\n")
            stdin.flush()
    return stages


def shown(name: str, stage: str, sizes: tuple[float, float], base: tuple[float, float]) -> str:
    """Return one line of the report."""
    return f"{name}, {stage}: RSS {sizes[0]:.0f} MiB, PSS {sizes[1]:.0f} MiB ({sizes[1] / base[1]:.2f} x bare Django)"


def main(logins: int) -> None:
    """Start each server in turn, measure its workers, load them, and measure again."""
    from live.redises import Redises  # noqa: PLC0415 - it reads Django's settings
    from live.service import Service  # noqa: PLC0415 - as above

    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    (folder / "a").mkdir()
    bases = bare(logins)
    for stage, base in zip(("started", "loaded"), bases, strict=True):
        print(shown("bare Django", stage, base, base), flush=True)
    try:
        with Redises(folder) as redises, Service(folder / "a", redises.url_of("a")) as service:
            service.manage("create_user", "--email", "alice@example.org", "--verified", stdin=f"{PASSWORD}\n")
            for name in SERVERS:
                with ExitStack() as stack:
                    measure(name, service, stack, logins, bases)
    finally:
        shutil.rmtree(folder)


def measure(name: str, service: Any, stack: ExitStack, logins: int, bases: list[tuple[float, float]]) -> None:
    """Measure one server."""
    server = Server(name, service, stack)
    while not all(server.is_healthy(2) for _time in range(20)):
        time.sleep(0.2)
    for stage, base in zip(("started", "loaded"), bases, strict=True):
        if stage == "loaded":
            load(server.port, logins)
            time.sleep(2)
        sizes = [memory_of(process) for process in workers_of(server.process)]
        rss, pss = (statistics.mean(values) for values in zip(*sizes, strict=True))
        print(shown(name, stage, (rss, pss), base), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--logins", type=int, default=80)
    parser.add_argument("url", nargs="?", default="postgres://postgres@127.0.0.1:5432/postgres")
    arguments = parser.parse_args()
    configure(arguments.url)
    main(arguments.logins)
