"""A decision over HTTP: one object, and fifty in one call, against the composed service.

Production settings, the web server with two workers and TLS, its own PostgreSQL database and its own
Redis. One client with a session token sends the requests in turns. Prints the medians of three
rounds and the ratio.

    python project/benchmarks/rbac_http.py [--calls N] [postgres://user@host:port/postgres]
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
import psycopg
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery staple"  # noqa: S105 - a test password
PERMISSION = "auth_accounts.view_user"
OBJECTS, ROUNDS, WARM_UP = 50, 3, 20


def configure(url: str) -> None:
    """Configure the PostgreSQL server. The service has its own settings."""
    parameters = psycopg.conninfo.conninfo_to_dict(url)
    sys.path.insert(0, str(ROOT / "project/tests"))
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    database = {name: str(parameters.get(key) or "") for name, key in names.items()}
    settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **database}})
    django.setup()


def grant_permissions(service: Any, address: str) -> list[str]:
    """Create users, grant *address* a permission to view each of them, and return their keys."""
    script = (
        "from django.contrib.auth import get_user_model; from guardian.shortcuts import assign_perm\n"
        f"User = get_user_model(); caller = User.objects.get(email={address!r})\n"
        f"for n in range({OBJECTS}):\n"
        "    person = User.objects.create_user(email=f'object{n}@example.org', password=None)\n"
        f"    assign_perm({PERMISSION!r}, caller, person); print('key', person.pk)\n"
    )
    output = service.manage("shell", "--command", script)
    return [line.split()[1] for line in output.splitlines() if line.startswith("key ")]


def in_turns(requests: dict[str, Callable[[int], None]], calls: int) -> dict[str, float]:
    """Return the median duration of one call of each, in milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in requests}
    for ask in requests.values():
        for number in range(WARM_UP):
            ask(number)
    for _round in range(ROUNDS):
        for name, ask in requests.items():
            began = time.perf_counter()
            for number in range(calls):
                ask(number)
            times[name].append((time.perf_counter() - began) / calls * 1_000)
    return {name: statistics.median(durations) for name, durations in times.items()}


def questions(service: Any, address: str) -> dict[str, Callable[[int], None]]:
    """Sign *address* in, and return the requests by name. A wrong response ends the run."""
    keys = grant_permissions(service, address)
    body = {"identifier": address, "password": PASSWORD, "transport": "token"}
    caller = service.session()
    caller.headers["Authorization"] = f"Session {service.post('login/', body).json()['credential']}"
    one, many = (f"{service.url}/api/v1/access/{path}/" for path in ("check", "check-many"))

    def me(_number: int) -> None:
        caller.get(f"{service.url}/api/v1/me/", timeout=30).raise_for_status()

    def ask_one(number: int) -> None:
        target = {"type": "auth_accounts.user", "id": keys[number % OBJECTS]}
        answer = caller.post(one, json={"permission": PERMISSION, "object": target}, timeout=30)
        if not answer.json()["allowed"]:
            raise SystemExit(answer.text)

    def ask_many(_number: int) -> None:
        body = {"permission": PERMISSION, "type": "auth_accounts.user", "ids": keys}
        answer = caller.post(many, json=body, timeout=30)
        if [decision["allowed"] for decision in answer.json()["decisions"]] != [True] * OBJECTS:
            raise SystemExit(answer.text)

    return {"me": me, "one": ask_one, "fifty": ask_many}


def main(calls: int) -> None:
    """Start the service, measure in turns, and print."""
    from live.redises import Redises  # noqa: PLC0415 - it reads Django's settings
    from live.service import Service  # noqa: PLC0415 - as above

    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    (folder / "a").mkdir()
    try:
        with Redises(folder) as redises, Service(folder / "a", redises.url_of("a")) as service:
            address = "alice@example.org"
            service.manage("create_user", "--email", address, "--verified", stdin=f"{PASSWORD}\n")
            median = in_turns(questions(service, address), calls)
    finally:
        shutil.rmtree(folder)
    print(f"me/ {median['me']:.2f} ms, one object {median['one']:.2f} ms, fifty {median['fifty']:.2f} ms per call")
    print(f"fifty objects cost {median['fifty'] / median['one']:.2f} x one object (budget: less than 1.5)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("url", nargs="?", default="postgres://postgres@127.0.0.1:5432/postgres")
    arguments = parser.parse_args()
    configure(arguments.url)
    main(arguments.calls)
