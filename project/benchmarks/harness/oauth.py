"""The provider under load: applications, authorizations and tokens of the product, and what clients send to any provider."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from psycopg.types.json import Jsonb

from harness.cells import SIGNED_IN, Cell, Place, copy_rows, send
from harness.traffic import Supply, Traffic

VERIFIER = "a-verifier-of-at-least-forty-three-characters"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REDIRECT_URI = "https://rp.example/callback"

#: The variants, as the report shows them.
CLIENT_CREDENTIALS, INTROSPECTION, REFRESH, CODE, USERINFO, BEARER = (
    "client credentials", "introspection", "refresh with rotation", "code exchange", "userinfo", "bearer check",
)  # fmt: skip

#: Settings of the product with one route that tokens open, as the application of a site has.
SETTINGS = "bench_site.settings"

#: Access tokens of the product live ten minutes.
_RENEWED_AFTER = timedelta(minutes=4)

#: Registers the applications, and makes one authorization of the first person for each. Printed: the applications.
_SEED = """
import json
from django.contrib.auth import get_user_model
from auth_core.oauth.clients.registration import create_application
from auth_core.oauth.models import ApplicationPolicy
from auth_core.oauth.testing.factories import Registered, exchange, make_code
from django.test import Client
person = get_user_model().objects.get(email="person0@example.org")
browser = Client(HTTP_HOST="localhost", HTTP_X_FORWARDED_PROTO="https", REMOTE_ADDR="127.0.0.1")
def registered(name, *grants):
    made = create_application(name=name, redirect_uris=["https://rp.example/callback"], grants=grants, scopes=["orders:read"])
    return made, Registered(row=made.policy.application, secret=made.secret)
web, of_web = registered("Web", "authorization_code", "refresh_token")
service, _of_service = registered("Service", "client_credentials")
rotating, of_rotating = registered("Rotating", "authorization_code", "refresh_token")
ApplicationPolicy.objects.filter(pk=rotating.policy.pk).update(rotates_refresh_tokens=True)
for application, scopes in ((of_web, ["openid", "profile", "orders:read"]), (of_rotating, ["profile", "offline_access"])):
    answer = exchange(application, make_code(application, person, scopes=scopes), browser)
    assert answer.status_code == 200, answer.content
print("SEED " + json.dumps({
    name: [made.policy.application_id, made.client_id, made.secret]
    for name, made in (("web", web), ("service", service), ("rotating", rotating))
}))
"""


def basic(client_id: str, secret: str) -> str:
    """Return the header of a client. Both parts are alphanumeric."""
    return f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"


def new_rsa_key() -> str:
    """Return a private key in PEM, of the size that the product has."""
    key = rsa.generate_private_key(65_537, 3072)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def provider_traffic(
    *,
    paths: Mapping[str, str],
    headers: Mapping[str, str],
    clients: Mapping[str, str],
    refresh: Sequence[str],
    codes: Sequence[str],
    access: Callable[[], Sequence[str]],
) -> dict[str, Traffic]:
    """Return what clients of a provider send.

    Args:
        paths: ``token``, ``introspect``, ``userinfo`` and, if a route checks tokens, ``bearer``.
        headers: Of each request.
        clients: The header of the application that acts for itself (``service``), of the one whose refresh tokens rotate
            (``rotating``), and of the one that introspects its tokens (``web``).
        refresh, codes: One-time values.
        access: Returns access tokens that have not expired.
    """

    def by(client: str) -> dict[str, str]:
        return {**headers, "Authorization": clients[client]}

    def bearers() -> list[str]:
        return [f"Bearer {token}" for token in access()]

    traffic = {
        CLIENT_CREDENTIALS: Traffic(
            path=paths["token"], form=lambda _value: {"grant_type": "client_credentials"}, headers=by("service")
        ),
        INTROSPECTION: Traffic(
            path=paths["introspect"], form=lambda token: {"token": token}, renewed=access, headers=by("web")
        ),
        REFRESH: Traffic(
            path=paths["token"],
            form=lambda token: {"grant_type": "refresh_token", "refresh_token": token},
            once=Supply(refresh),
            headers=by("rotating"),
        ),
        CODE: Traffic(path=paths["token"], form=_exchange, once=Supply(codes), headers=by("rotating")),
        USERINFO: Traffic(path=paths["userinfo"], renewed=bearers, headers=headers),
    }
    if "bearer" in paths:
        traffic[BEARER] = Traffic(path=paths["bearer"], renewed=bearers, headers=headers)
    return traffic


def _exchange(code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER,
    }  # fmt: skip


def product_traffic(
    cell: Cell, place: Place, run: Callable[[str], str], headers: Mapping[str, str]
) -> dict[str, Traffic]:
    """Seed the product and return its traffic.

    Args:
        run: Executes a program in the shell of the product and returns what it printed.
    """
    line = next(line for line in run(_SEED).splitlines() if line.startswith("SEED "))
    applications: dict[str, tuple[int, str, str]] = json.loads(line.removeprefix("SEED "))
    refresh = [f"ert_{secrets.token_urlsafe(32)}" for _token in range(place.once)]
    codes = [f"eac_{secrets.token_urlsafe(32)}" for _code in range(place.once)]
    lasting = [f"ert_{secrets.token_urlsafe(32)}" for _token in range(min(SIGNED_IN, place.people))]
    with psycopg.connect(dbname=cell.database, **place.postgresql.address) as connection:
        people = [row[0] for row in connection.execute(_PEOPLE, [place.once])]
        _copy_tokens(connection, applications["rotating"][0], people, refresh, codes)
        _copy_tokens(connection, applications["web"][0], people, lasting, [])
    place.postgresql.administer("VACUUM ANALYZE", cell.database)
    clients = {name: basic(*values[1:]) for name, values in applications.items()}
    return provider_traffic(
        paths={
            "token": "/oauth/token", "introspect": "/oauth/introspect", "userinfo": "/oauth/userinfo",
            "bearer": "/api/v1/orders/",
        },
        headers=headers, clients=clients, refresh=refresh, codes=codes,
        access=_Renewed(cell, lasting, {**headers, "Authorization": clients["web"]}),
    )  # fmt: skip


_PEOPLE = "SELECT id FROM auth_accounts_user WHERE email LIKE 'person%%' LIMIT %s"


def _copy_tokens(
    connection: "psycopg.Connection[Any]",
    application: int,
    people: Sequence[UUID],
    refresh: Sequence[str],
    codes: Sequence[str],
) -> None:
    """Insert an authorization for each refresh token and for each code: the row of one that the product wrote, with other keys."""
    authorization = _row(connection, "auth_oauth_authorization", "application_id", application)
    token = _row(connection, "auth_oauth_refreshtoken", "authorization_id", authorization["id"])
    keys = [_key(authorization["id"], number) for number in range(len(refresh) + len(codes))]
    until = datetime.now(tz=UTC) + timedelta(days=1)

    def authorizations() -> Iterator[list[Any]]:
        for number, key in enumerate(keys):
            of_code = number - len(refresh)
            code = {"code_digest": None}
            if of_code >= 0:
                code = {
                    "code_digest": _digest(codes[of_code]), "code_expires_at": until, "code_spent_at": None,
                    "code_challenge": CHALLENGE, "redirect_uri": REDIRECT_URI,
                }  # fmt: skip
            yield _values({**authorization, "id": key, "user_id": people[number % len(people)], **code})

    def tokens() -> Iterator[list[Any]]:
        for number, text in enumerate(refresh):
            key = keys[number]
            yield _values({**token, "id": key, "digest": _digest(text), "authorization_id": key, "used_at": None})

    copy_rows(connection, "auth_oauth_authorization", list(authorization), authorizations())
    copy_rows(connection, "auth_oauth_refreshtoken", list(token), tokens())


def _row(connection: "psycopg.Connection[Any]", table: str, column: str, value: Any) -> dict[str, Any]:
    statement: Any = f'SELECT * FROM "{table}" WHERE "{column}" = %s LIMIT 1'  # noqa: S608 - names of this module
    cursor = connection.execute(statement, [value])
    found = cursor.fetchone() or ()
    return {each.name: item for each, item in zip(cursor.description or (), found, strict=True)}


def _key(first: UUID, number: int) -> UUID:
    """Return the key of a copy of the row with the key *first*. Keys ascend like those of UUIDv7."""
    return UUID(int=(first.int >> 64 << 64) | 1 << 63 | number)


def _values(row: Mapping[str, Any]) -> list[Any]:
    return [Jsonb(value) if isinstance(value, (dict, list)) else value for value in row.values()]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class _Renewed:
    """Access tokens for refresh tokens that do not rotate, new ones every few minutes."""

    def __init__(self, cell: Cell, refresh: Sequence[str], headers: Mapping[str, str]) -> None:
        self._cell, self._refresh, self._headers = cell, refresh, headers
        self._tokens: list[str] = []
        self._until = 0.0

    def __call__(self) -> Sequence[str]:
        if time.monotonic() >= self._until:
            self._tokens = [self._access_token(token) for token in self._refresh]
            self._until = time.monotonic() + _RENEWED_AFTER.total_seconds()
        return self._tokens

    def _access_token(self, refresh: str) -> str:
        body = urlencode({"grant_type": "refresh_token", "refresh_token": refresh}).encode()
        headers = {**self._headers, "Content-Type": "application/x-www-form-urlencoded"}
        return str(send(self._cell.port, "POST", "/oauth/token", body, headers)["access_token"])
