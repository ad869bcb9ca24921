# ruff: noqa: T201 - it prints what it measured
"""A decision over HTTP: one object, and fifty in one call, against the composed service.

Production settings, the web server with two workers and TLS, PostgreSQL in a database of its own and
a Redis of its own. One caller with a session by token asks in turns; the medians of three
rounds are printed, and the ratio.

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
PASSWORD = "correct horse battery staple"  # noqa: S105 - of nobody
PERMISSION = "auth_accounts.view_user"
OBJECTS, ROUNDS, WARM_UP = 50, 3, 20


def configure(url: str) -> None:
    """Know where PostgreSQL is; the service has settings of its own."""
    place = psycopg.conninfo.conninfo_to_dict(url)
    sys.path.insert(0, str(ROOT / "project/tests"))
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    found = {name: str(place.get(key) or "") for name, key in names.items()}
    settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **found}})
    django.setup()


def let(service: Any, address: str) -> list[str]:
    """Make people, let *address* view each of them by a permission for that one alone; return their keys."""
    made = (
        "from django.contrib.auth import get_user_model; from guardian.shortcuts import assign_perm\n"
        f"User = get_user_model(); caller = User.objects.get(email={address!r})\n"
        f"for n in range({OBJECTS}):\n"
        "    person = User.objects.create_user(email=f'object{n}@example.org', password=None)\n"
        f"    assign_perm({PERMISSION!r}, caller, person); print('key', person.pk)\n"
    )
    told = service.manage("shell", "--command", made)
    return [line.split()[1] for line in told.splitlines() if line.startswith("key ")]


def in_turns(asked: dict[str, Callable[[int], None]], calls: int) -> dict[str, float]:
    """Return the median over the rounds of how long one call of each takes, in milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in asked}
    for ask in asked.values():
        for number in range(WARM_UP):
            ask(number)
    for _round in range(ROUNDS):
        for name, ask in asked.items():
            began = time.perf_counter()
            for number in range(calls):
                ask(number)
            times[name].append((time.perf_counter() - began) / calls * 1_000)
    return {name: statistics.median(found) for name, found in times.items()}


def questions(service: Any, address: str) -> dict[str, Callable[[int], None]]:
    """Sign *address* in, and return what is asked by name; a wrong answer ends the run."""
    keys = let(service, address)
    body = {"identifier": address, "password": PASSWORD, "transport": "token"}
    caller = service.session()
    caller.headers["Authorization"] = f"Session {service.post('login/', body).json()['credential']}"
    one, many = (f"{service.url}/api/v1/access/{path}/" for path in ("check", "check-many"))

    def me(_number: int) -> None:
        caller.get(f"{service.url}/api/v1/me/", timeout=30).raise_for_status()

    def ask_one(number: int) -> None:
        named = {"type": "auth_accounts.user", "id": keys[number % OBJECTS]}
        answer = caller.post(one, json={"permission": PERMISSION, "object": named}, timeout=30)
        if not answer.json()["allowed"]:
            raise SystemExit(answer.text)

    def ask_many(_number: int) -> None:
        asked = {"permission": PERMISSION, "type": "auth_accounts.user", "ids": keys}
        answer = caller.post(many, json=asked, timeout=30)
        if [told["allowed"] for told in answer.json()["decisions"]] != [True] * OBJECTS:
            raise SystemExit(answer.text)

    return {"me": me, "one": ask_one, "fifty": ask_many}


def main(calls: int) -> None:
    """Start, ask in turns, print."""
    from live.redises import Redises  # noqa: PLC0415 - they read Django's settings
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
    print(f"me/ {median['me']:.2f} ms, one object {median['one']:.2f} ms, fifty {median['fifty']:.2f} ms a call")
    print(f"fifty objects cost {median['fifty'] / median['one']:.2f} x of one (budget: less than 1.5)")


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--calls", type=int, default=300)
    given.add_argument("url", nargs="?", default="postgres://postgres@127.0.0.1:5432/postgres")
    arguments = given.parse_args()
    configure(arguments.url)
    main(arguments.calls)
