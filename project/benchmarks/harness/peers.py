"""The cells of the peers, with the same server, hash cost, people and machine as the product."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from argon2 import PasswordHasher

from harness.cells import OBJECTS, PASSWORD, SIGNED_IN, Cell, Place, call, copy_rows, run_checked, serving
from harness.installation import node_folder, peers_python
from harness.oauth import CHALLENGE, new_rsa_key
from harness.oauth_peers import jwt_traffic, toolkit_traffic
from harness.product import PROXIED, granian
from harness.servers import BenchRedis
from harness.traffic import Random, Traffic, address_of

_PEERS = Path(__file__).resolve().parents[1] / "peers"

#: The Django peers of each benchmark.
DJANGO_PEERS = {
    "login": ("allauth", "simplejwt"),
    "session": ("allauth", "simplejwt", "oauth", "floor"),
    "check": ("guardian", "floor"),
    "mixed": ("allauth", "simplejwt"),
    "limits": ("floor",),
    "oauth": ("oauth", "simplejwt"),
}

#: How the report names them.
NAMES = {
    "allauth": "django-allauth headless", "simplejwt": "SimpleJWT", "oauth": "django-oauth-toolkit",
    "guardian": "django-guardian", "floor": "floor",
}  # fmt: skip


@contextmanager
def django_peer(place: Place, job: str, peer: str) -> Iterator[Cell]:
    """Seed and serve one Django peer."""
    with BenchRedis() as redis:
        group = "floor" if peer == "floor" else "peer"
        cell = Cell(NAMES[peer], group, job, place.postgresql.create(peer), redis)
        environment = {
            "PEER": peer, "DJANGO_SETTINGS_MODULE": "django_peers.settings", "PYTHONPATH": str(_PEERS),
            "SECRET_KEY": secrets.token_urlsafe(64), "DB_NAME": cell.database,
            "DB_PORT": str(place.postgresql.port), "REDIS_URL": redis.url,
        }  # fmt: skip
        python = peers_python()
        people = min(place.people, SIGNED_IN)
        seed = [str(python), "-m", "django_peers.seed", str(place.people), PASSWORD, str(people), str(OBJECTS)]
        if job == "oauth":
            environment |= {"ONCE": str(place.once), "CODE_CHALLENGE": CHALLENGE, "OIDC_KEY": new_rsa_key()}
        tokens: Any = json.loads(run_checked(seed, environment, cwd=_PEERS).splitlines()[-1])
        place.postgresql.administer("VACUUM ANALYZE", cell.database)
        log = place.folder / f"{peer}.log"
        with serving(
            cell, granian(python, "django_peers.wsgi:application"), environment, cwd=_PEERS, health="/floor/", log=log
        ):
            of_provider = _OF_PROVIDER[peer] if job == "oauth" else None
            cell.traffic = of_provider(PROXIED, tokens) if of_provider else _TRAFFIC[peer](cell, place.people, tokens)
            yield cell


@contextmanager
def better_auth(place: Place, job: str) -> Iterator[Cell]:
    """Seed and serve better-auth in two Node processes."""
    with BenchRedis() as redis:
        cell = Cell("better-auth", "peer", job, place.postgresql.create("better_auth"), redis)
        folder = node_folder("better_auth")
        environment = {
            "SECRET_KEY": secrets.token_hex(32), "DB_NAME": cell.database, "NODE_ENV": "production",
            "DB_PORT": str(place.postgresql.port), "REDIS_PATH": redis.path, "PATH": os.environ["PATH"],
        }  # fmt: skip
        run_checked(["node", "server.mjs", "migrate"], environment, cwd=folder)
        _copy_people(place, cell.database)
        log = place.folder / "better-auth.log"
        with serving(cell, ["node", "server.mjs"], environment, cwd=folder, health="/api/auth/ok", log=log):
            cell.traffic = _better_auth_traffic(cell, place.people)
            yield cell


def _copy_people(place: Place, database: str) -> None:
    encoded = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1).hash(PASSWORD)
    with psycopg.connect(dbname=database, **place.postgresql.address) as connection:
        now = (connection.execute("SELECT now()").fetchone() or (None,))[0]
        addresses = [address_of(number) for number in range(place.people)]
        people = ((str(number), "Person", each, True, now, now) for number, each in enumerate(addresses))
        copy_rows(connection, "user", ["id", "name", "email", "emailVerified", "createdAt", "updatedAt"], people)
        columns = ["id", "accountId", "providerId", "userId", "password", "createdAt", "updatedAt"]
        accounts = (
            (str(number), str(number), "credential", str(number), encoded, now, now) for number in range(place.people)
        )
        copy_rows(connection, "account", columns, accounts)
    place.postgresql.administer("VACUUM ANALYZE", database)


def _allauth_traffic(cell: Cell, people: int, _tokens: list[str]) -> dict[str, Traffic]:
    def body(source: Random) -> Any:
        return {"email": address_of(source.randrange(people)), "password": PASSWORD}

    base = "/_allauth/app/v1/auth"
    login = Traffic(path=f"{base}/login", body=body, headers=PROXIED, sends_address=True)
    if cell.job == "login":
        return {"login": login}
    sessions = []
    for number in range(min(SIGNED_IN, people)):
        headers = {**PROXIED, "X-Forwarded-For": f"192.0.2.{number}"}
        answer = call(cell.port, f"{base}/login", {"email": address_of(number), "password": PASSWORD}, headers)
        sessions.append(answer["meta"]["session_token"])
    session = Traffic(
        path=f"{base}/session", headers=PROXIED, credentials=sessions, credential_header="X-Session-Token"
    )
    return {"session": session, "login": login}


def _jwt_traffic(cell: Cell, people: int, _tokens: list[str]) -> dict[str, Traffic]:
    def body(source: Random) -> Any:
        return {"username": address_of(source.randrange(people)), "password": PASSWORD}

    login = Traffic(path="/token/", body=body, headers=PROXIED, sends_address=True)
    if cell.job == "login":
        return {"login": login}
    credentials = [_jwt(cell, number) for number in range(min(SIGNED_IN, people))]
    return {"session": Traffic(path="/me/", headers=PROXIED, credentials=credentials), "login": login}


def _jwt(cell: Cell, number: int) -> str:
    answer = call(cell.port, "/token/", {"username": address_of(number), "password": PASSWORD}, PROXIED)
    return f"Bearer {answer['access']}"


def _guardian_traffic(cell: Cell, _people: int, _tokens: list[str]) -> dict[str, Traffic]:
    keys, credentials = list(range(2, OBJECTS + 2)), [_jwt(cell, 0)]

    def one(source: Random) -> Any:
        return {"id": source.choice(keys)}

    def fifty(_source: Random) -> Any:
        return {"ids": keys}

    return {
        "one": Traffic(path="/check/", body=one, headers=PROXIED, credentials=credentials),
        "fifty": Traffic(path="/check-many/", body=fifty, headers=PROXIED, credentials=credentials),
    }


def _oauth_traffic(_cell: Cell, _people: int, tokens: list[str]) -> dict[str, Traffic]:
    credentials = [f"Bearer {token}" for token in tokens]
    return {"session": Traffic(path="/me/", headers=PROXIED, credentials=credentials)}


def _floor_traffic(cell: Cell, _people: int, _tokens: list[str]) -> dict[str, Traffic]:
    of_job = {
        "session": {"session": "/floor/redis/"},
        "check": {"one": "/floor/select/"},
        "limits": {
            "bare view": "/floor/", "one Redis read": "/floor/redis/", "one SELECT": "/floor/select/",
            "one durable INSERT": "/floor/insert/",
        },
    }  # fmt: skip
    return {name: Traffic(path=path, headers=PROXIED) for name, path in of_job.get(cell.job, {}).items()}


def _better_auth_traffic(cell: Cell, people: int) -> dict[str, Traffic]:
    def body(source: Random) -> Any:
        return {"email": address_of(source.randrange(people)), "password": PASSWORD}

    login = Traffic(path="/api/auth/sign-in/email", body=body, headers=PROXIED, sends_address=True)
    if cell.job == "login":
        return {"login": login}
    credentials = []
    for number in range(min(SIGNED_IN, people)):
        headers = {**PROXIED, "X-Forwarded-For": f"192.0.2.{number}"}
        answer = call(
            cell.port, "/api/auth/sign-in/email", {"email": address_of(number), "password": PASSWORD}, headers
        )
        credentials.append(f"Bearer {answer['token']}")
    session = Traffic(path="/api/auth/get-session", headers=PROXIED, credentials=credentials, sends_address=True)
    return {"session": session, "login": login}


_OF_PROVIDER = {"oauth": toolkit_traffic, "simplejwt": jwt_traffic}
_TRAFFIC = {
    "allauth": _allauth_traffic, "simplejwt": _jwt_traffic, "guardian": _guardian_traffic, "oauth": _oauth_traffic,
    "floor": _floor_traffic,
}  # fmt: skip
