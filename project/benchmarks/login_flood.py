# ruff: noqa: T201 - it prints measurements
"""The response times of a signed-in user during a flood of wrong logins (decision record 0018).

The composed service as in ``rbac_http.py``: production settings, the web server with two workers of
four threads and TLS, its own PostgreSQL and Redis. Forty clients log in with wrong passwords, each for
another identifier and as fast as they are answered. One client with a session requests ``me/`` meanwhile.

    python project/benchmarks/login_flood.py [--seconds N] [--slots N,N,none] [postgres://user@host:port/postgres]
"""

import argparse
import multiprocessing
import shutil
import statistics
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import requests
from rbac_http import PASSWORD, configure

CALLERS = 40


def flood(url: str, certificate: str, until: float, answers: Any) -> None:
    """Log in with wrong passwords from `CALLERS` threads until *until*. Put the count of each status into *answers*."""
    counted: Counter[int] = Counter()
    lock = threading.Lock()

    def call(number: int) -> None:
        caller = requests.Session()
        caller.trust_env, caller.verify = False, certificate
        guesses = 0
        while time.time() < until:
            body = {
                "identifier": f"n{number}-{guesses}@example.org",
                "password": "wrong all the time",
                "transport": "token",
            }
            status = caller.post(f"{url}/api/v1/login/", json=body, timeout=60).status_code
            guesses += 1
            with lock:
                counted[status] += 1

    threads = [threading.Thread(target=call, args=(number,)) for number in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.put(dict(counted))


def ask(service: Any, caller: Any, seconds: float) -> list[float]:
    """Request ``me/`` in a loop, and return the response times in milliseconds."""
    took: list[float] = []
    until = time.time() + seconds
    while time.time() < until:
        began = time.perf_counter()
        caller.get(f"{service.url}/api/v1/me/", timeout=60).raise_for_status()
        took.append((time.perf_counter() - began) * 1_000)
        time.sleep(0.01)
    return took


def summary(took: list[float]) -> str:
    """Return the median, the 99th percentile and the number of response times."""
    return f"p50 {statistics.median(took):.1f} ms, p99 {statistics.quantiles(took, n=100)[98]:.1f} ms of {len(took)}"


def measure(slots: str, seconds: float) -> None:
    """Start the service with *slots* hash slots. Measure without and with the flood, and print."""
    from live.redises import Redises  # noqa: PLC0415 - it reads Django's settings
    from live.service import Service  # noqa: PLC0415 - as above

    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    (folder / "a").mkdir()
    processes = multiprocessing.get_context("fork")
    try:
        with (
            Redises(folder) as redises,
            Service(
                folder / "a", redises.url_of("a"), environment={"LIVE_HASHES": slots, "WEB_THREADS": "4"}
            ) as service,
        ):
            address = "alice@example.org"
            service.manage("create_user", "--email", address, "--verified", stdin=f"{PASSWORD}\n")
            body = {"identifier": address, "password": PASSWORD, "transport": "token"}
            caller = service.session()
            caller.headers["Authorization"] = f"Session {service.post('login/', body).json()['credential']}"
            ask(service, caller, 1)
            baseline = ask(service, caller, seconds / 4)
            answers = processes.Queue()
            parameters = (service.url, str(service.certificate), time.time() + seconds + 1, answers)
            flooding = processes.Process(target=flood, args=parameters)
            flooding.start()
            time.sleep(1)
            during = ask(service, caller, seconds)
            statuses = answers.get(timeout=120)
            flooding.join()
    finally:
        shutil.rmtree(folder)
    print(
        f"slots {slots}: me/ without the flood {summary(baseline)}; with it {summary(during)}; the flood got {statuses}",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--slots", default="none,3")
    parser.add_argument("url", nargs="?", default="postgres://postgres@127.0.0.1:5432/postgres")
    arguments = parser.parse_args()
    configure(arguments.url)
    for number in arguments.slots.split(","):
        measure(number, arguments.seconds)
