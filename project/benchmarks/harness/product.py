"""The cells of this product: this checkout, and another one beside it."""

import base64
import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg

from harness.cells import (
    OBJECTS,
    PASSWORD,
    SIGNED_IN,
    THREADS,
    WORKERS,
    Cell,
    Place,
    call,
    copy_rows,
    run_checked,
    serving,
)
from harness.oauth import SETTINGS, product_traffic
from harness.servers import BenchRedis
from harness.traffic import Random, Traffic, address_of

ROOT = Path(__file__).resolve().parents[3]

#: A proxy in front ends TLS.
PROXIED = {"X-Forwarded-Proto": "https", "User-Agent": "bench"}

#: A route that access tokens open. The product itself has none.
_WITH_A_ROUTE = {"DJANGO_SETTINGS_MODULE": SETTINGS, "PYTHONPATH": str(ROOT / "project/benchmarks")}

_TEMPLATE = "template@example.org"
_TABLES = ("auth_accounts_user", "auth_core_emailaddress", "auth_core_identity")
_PERMISSION = "auth_accounts.view_user"

#: Grants the first person a permission to view others. Printed: the keys of the others.
_GRANTS = f"""
import json
from django.contrib.auth import get_user_model
from guardian.shortcuts import assign_perm
people = get_user_model().objects
caller = people.get(email="person0@example.org")
others = list(people.filter(email__in=[f"person{{number}}@example.org" for number in range(1, {OBJECTS} + 1)]))
for person in others:
    assign_perm({_PERMISSION!r}, caller, person)
print("KEYS " + json.dumps([str(person.pk) for person in others]))
"""


@contextmanager
def product(
    place: Place, job: str, *, root: Path = ROOT, name: str = "product", server: str = "wsgi"
) -> Iterator[Cell]:
    """Seed and serve the checkout in *root* with production settings.

    Args:
        server: ``wsgi``: granian's WSGI, as the peers. ``own``: `enterprise_auth.web_server`, as an operator.
    """
    with BenchRedis() as redis:
        cell = Cell(name, "product" if root == ROOT else "before", job, place.postgresql.create(name), redis)
        environment = {**_environment(place, cell), **(_WITH_A_ROUTE if job == "oauth" else {})}
        python = Path(sys.executable) if root == ROOT else root / ".venv/bin/python"
        manage = [str(python), str(root / "project/manage.py")]
        run_checked([*manage, "migrate", "--verbosity", "0"], environment, cwd=root / "project")
        run_checked([*manage, "collectstatic", "--no-input", "--verbosity", "0"], environment, cwd=root / "project")
        run_checked(
            [*manage, "create_user", "--email", _TEMPLATE, "--verified"],
            environment, cwd=root / "project", stdin=f"{PASSWORD}\n",
        )  # fmt: skip
        _clone_people(place, cell.database)
        with serving(
            cell, _command(python, server), environment, cwd=root / "project", health="/health/",
            log=place.folder / f"{name}.log",
        ):  # fmt: skip
            if job == "oauth":
                cell.traffic = product_traffic(cell, place, partial(_shell, manage, environment, root), PROXIED)
            else:
                keys = _grants(manage, environment, root) if job == "check" else []
                cell.traffic = _traffic(cell, place.people, keys)
            yield cell


def _command(python: Path, server: str) -> list[str]:
    address = ["--host", "127.0.0.1", "--port", "{port}"]
    if server == "own":
        return [str(python), "-m", "enterprise_auth.web_server", *address]
    return granian(python, "enterprise_auth.wsgi:application")


def granian(python: Path, application: str) -> list[str]:
    """Return the command of granian's WSGI server, the same for all Python cells."""
    return [
        str(python.parent / "granian"), "--host", "127.0.0.1", "--port", "{port}", "--interface", "wsgi",
        "--workers", str(WORKERS), "--blocking-threads", str(THREADS), "--no-ws", "--log-level", "warning", application,
    ]  # fmt: skip


def _environment(place: Place, cell: Cell) -> dict[str, str]:
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    mails = place.folder / "mails"
    mails.mkdir(exist_ok=True)
    return {
        "DJANGO_SETTINGS_MODULE": "enterprise_auth.settings.production",
        "PUBLIC_URL": "https://localhost",
        "ALLOWED_HOSTS": "localhost",
        "TRUSTED_PROXIES": "127.0.0.1",
        "DB_NAME": cell.database,
        "DB_USER": "postgres",
        "DB_HOST": "127.0.0.1",
        "DB_PORT": str(place.postgresql.port),
        "REDIS_URL": cell.redis.url,
        "EMAIL_FILE_PATH": str(mails),
        "WEB_WORKERS": str(WORKERS),
        "WEB_THREADS": str(THREADS),
        "SECRET_KEY": secrets.token_urlsafe(64),
        "FIELD_KEYS": f"bench:{key}",
    }


def _clone_people(place: Place, database: str) -> None:
    """Insert people by COPY: the rows of one person with other keys. So every column has a value of this version."""
    with psycopg.connect(dbname=database, **place.postgresql.address) as connection:
        first = _row(connection, _TABLES[0])["id"]
        for table in _TABLES:
            template = _row(connection, table)
            rows = (list(_clone(template, table, first, number).values()) for number in range(place.people))
            copy_rows(connection, table, list(template), rows)
    place.postgresql.administer("VACUUM ANALYZE", database)


def _row(connection: "psycopg.Connection[Any]", table: str) -> dict[str, Any]:
    cursor = connection.execute(f'SELECT * FROM "{table}" LIMIT 1')  # type: ignore[arg-type]  # noqa: S608 - a name of this module
    values = cursor.fetchone() or ()
    return {column.name: value for column, value in zip(cursor.description or (), values, strict=True)}


def _clone(template: dict[str, Any], table: str, first: UUID, number: int) -> dict[str, Any]:
    """Return the row of person *number*. Its keys ascend like those of UUIDv7."""
    key, address = UUID(int=(first.int >> 64 << 64) | 1 << 63 | number), address_of(number)
    if table == "auth_accounts_user":
        return {**template, "id": key, "email": address}
    if table == "auth_core_emailaddress":
        return {**template, "id": key, "user_id": key, "address": address, "key": address}
    return {**template, "id": key, "user_id": key, "subject_id": uuid4()}


def _grants(manage: list[str], environment: dict[str, str], root: Path) -> list[str]:
    output = _shell(manage, environment, root, _GRANTS)
    line = next(line for line in output.splitlines() if line.startswith("KEYS "))
    keys: list[str] = json.loads(line.removeprefix("KEYS "))
    return keys


def _shell(manage: list[str], environment: dict[str, str], root: Path, program: str) -> str:
    return run_checked([*manage, "shell", "--command", program], environment, cwd=root / "project")


def _traffic(cell: Cell, people: int, keys: list[str]) -> dict[str, Traffic]:
    def login_body(source: Random) -> Any:
        return _login_body(source.randrange(people))

    login = Traffic(path="/api/v1/login/", body=login_body, headers=PROXIED, sends_address=True)
    if cell.job == "login":
        return {"login": login}
    if cell.job == "check":
        return _check_traffic(_credential(cell.port, 0), keys)
    credentials = [_credential(cell.port, number) for number in range(min(SIGNED_IN, people))]
    return {"session": Traffic(path="/api/v1/me/", headers=PROXIED, credentials=credentials), "login": login}


def _check_traffic(credential: str, keys: list[str]) -> dict[str, Traffic]:
    """Return the requests about one object and about fifty, of one caller."""

    def one(source: Random) -> Any:
        return {"permission": _PERMISSION, "object": {"type": "auth_accounts.user", "id": source.choice(keys)}}

    def fifty(_source: Random) -> Any:
        return {"permission": _PERMISSION, "type": "auth_accounts.user", "ids": keys}

    caller = [credential]
    return {
        "one": Traffic(path="/api/v1/access/check/", body=one, headers=PROXIED, credentials=caller),
        "fifty": Traffic(path="/api/v1/access/check-many/", body=fifty, headers=PROXIED, credentials=caller),
    }


def _credential(port: int, number: int) -> str:
    """Sign person *number* in.

    Raises:
        RuntimeError: the login is refused, or asks for something more.
    """
    answer = call(port, "/api/v1/login/", _login_body(number), {**PROXIED, "X-Forwarded-For": f"192.0.2.{number}"})
    if answer.get("status") != "granted":
        raise RuntimeError(f"The login of a seeded person is not granted: {answer}")
    return f"Session {answer['credential']}"


def _login_body(number: int) -> dict[str, str]:
    return {"identifier": address_of(number), "password": PASSWORD, "transport": "token"}
