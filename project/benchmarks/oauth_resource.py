"""Verified requests per second of a resource server, beside django-oauth-toolkit and SimpleJWT, and what revocations cost.

All cells are views of one site in one process, called through its WSGI handler without a socket, in turns: so they differ in the
check of the token alone. PostgreSQL is required, and Node with npm for oidc-provider. The environment is var/bench/resource.
Run by ``./dev bench oauth_resource``.
"""

import argparse
import base64
import io
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "var/bench/resource"
NODE = ROOT / "project/benchmarks/peers/oidc_provider"
RESOURCE = "https://api.example.org/notes"
CLIENT = ("bench", "bench-secret-of-at-least-thirty-two-characters")
PINS = ["djangorestframework-simplejwt==5.5.1", "psycopg[binary]>=3.2.13"]


def main() -> None:
    """Make the environment, and run the cells in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="Duration of one turn of a cell.")
    parser.add_argument("--turns", type=int, default=9, help="Turns of each cell.")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        Inside().run(seconds=options.seconds, turns=options.turns)
        return
    sys.path.insert(0, str(ROOT / "tools"))
    from servers import real_servers  # noqa: PLC0415 - its folder is on the path only now

    python = _environment()
    with real_servers() as servers:
        if servers is None:
            raise SystemExit("This benchmark needs PostgreSQL.")
        environment = {**os.environ, "TEST_DATABASE_URL": servers[0], "TEST_REDIS_URL": "", "PYTHONWARNINGS": "ignore"}
        subprocess.run([python, __file__, "--inside", *sys.argv[1:]], check=True, env=environment)


def _environment() -> Path:
    python = FOLDER / "python/bin/python"
    if not python.exists():
        uv = shutil.which("uv") or str(ROOT / ".boot/bin/uv")
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, FOLDER / "python"], check=True)
        own = [
            "-e",
            f"{ROOT}/packages/auth-core[oauth,oauth-resource,testing]",
            "-c",
            ROOT / "constraints/django-5.2.txt",
        ]
        subprocess.run([uv, "pip", "install", "-q", "--python", python, *own, *PINS], check=True)
    if not (FOLDER / "node/node_modules").exists():
        shutil.copytree(NODE, FOLDER / "node", dirs_exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=FOLDER / "node", check=True)
    return python


class Inside:
    """The site and its cells, in this process."""

    def __init__(self) -> None:
        from auth_core.oauth_resource.testing.issuer import FakeIssuer  # noqa: PLC0415 - the environment has it

        self.issuer = FakeIssuer()
        self.issuer.start()
        self.ports = [_free_port(), _free_port()]
        _configure(self.issuer, [f"http://127.0.0.1:{port}" for port in self.ports])

    def run(self, *, seconds: float, turns: int) -> None:
        """Print the figures."""
        from django.core.wsgi import get_wsgi_application  # noqa: PLC0415 - settings exist only now
        from django.test.utils import setup_databases, teardown_databases  # noqa: PLC0415 - as above

        self.handler: Any = get_wsgi_application()
        old = setup_databases(0, interactive=False)
        try:
            self._rates(seconds, turns)
            self._own_revocation()
            shutil.copy(NODE / "one_client.mjs", FOLDER / "node/one_client.mjs")
            with _oidc_provider(self.ports[0], "jwt"), _oidc_provider(self.ports[1], "opaque"):
                self._unknown_keys()
                self._introspection()
        finally:
            teardown_databases(old, 0)
            self.issuer.stop()

    def get(self, path: str, token: str) -> int:
        """Return the status of a request."""
        return _get(self.handler, path, token)

    def _rates(self, seconds: float, turns: int) -> None:
        cells = _cells(self.issuer)
        figures: dict[str, list[tuple[float, float]]] = {name: [] for name in cells}
        for name, (path, token) in cells.items():
            status = self.get(path, token)
            if status != 200 or (token and self.get(path, f"{token[:-6]}AAAAAA") not in (401, 403)):
                raise SystemExit(f"{name}: it answers {status}, or opens to a wrong token.")
        for _turn in range(turns):
            for name, (path, token) in cells.items():
                figures[name].append(_rate(lambda path=path, token=token: self.get(path, token), seconds))
        print(f"{'cell':58} {'requests/s':>10} {'lowest':>8} {'highest':>8} {'CPU µs':>8}")
        for name, turns_of_cell in figures.items():
            rates, costs = zip(*turns_of_cell, strict=True)
            middle, cost = statistics.median(rates), statistics.median(costs)
            print(f"{name:58} {middle:10.0f} {min(rates):8.0f} {max(rates):8.0f} {cost:8.0f}")

    def _own_revocation(self) -> None:
        from auth_core.oauth.models import Authorization  # noqa: PLC0415 - models exist only now

        path, token = _cells(self.issuer)["ours, DRF, ES256, provider in the site (1 query)"]
        before = self.get(path, token)
        Authorization.objects.all().end(reason="revoked")
        print(
            f"\nprovider in the site: {before} before the end of the grant, {self.get(path, token)} at the next request"
        )

    def _unknown_keys(self) -> None:
        issuer = f"http://127.0.0.1:{self.ports[0]}"
        token = _token_of(issuer)
        fetched = _count_fetches()
        _header, payload, signature = token.split(".")
        statuses = [self.get("/ours/", token)]
        for number in range(100):
            unknown = json.dumps({"alg": "RS256", "typ": "at+jwt", "kid": f"unknown-{number}"}).encode()
            statuses.append(self.get("/ours/", f"{_encoded(unknown)}.{payload}.{signature}"))
        jwks = sum(url.endswith("/jwks") for url in fetched)
        print(
            f"oidc-provider, JWT: {statuses[0]}, a hundred unknown key ids: {sorted(set(statuses[1:]))}, {jwks} requests for keys"
        )

    def _introspection(self) -> None:
        issuer = f"http://127.0.0.1:{self.ports[1]}"
        token = _token_of(issuer)
        before = self.get("/ours/", token)
        revoked_at = time.monotonic()
        _post(f"{issuer}/token/revocation", token=token)
        while (after := self.get("/ours/", token)) == 200 and time.monotonic() - revoked_at < 60:
            time.sleep(0.05)
        seconds = time.monotonic() - revoked_at
        print(f"oidc-provider, introspection: {before}, {after} {seconds:.1f} s after the revocation (memory of 30 s)")


def _configure(issuer: Any, others: list[str]) -> None:
    from django.conf import settings  # noqa: PLC0415 - the environment has it
    from joserfc.jwk import ECKey  # noqa: PLC0415 - as above

    from auth_core.oauth.testing.keys import SIGNING_KEYS  # noqa: PLC0415 - as above
    from auth_core.oauth.toolkit import toolkit_settings  # noqa: PLC0415 - as above
    from auth_core.testing import settings as kit  # noqa: PLC0415 - as above

    key = ECKey.generate_key("P-256")
    toolkit = toolkit_settings("https://auth.example.org")
    # Its own validator, which reads its own tables.
    del toolkit["OAUTH2_VALIDATOR_CLASS"]
    settings.configure(
        **{name: getattr(kit, name) for name in ("SECRET_KEY", "USE_TZ", "AUTHENTICATION_BACKENDS")},
        DATABASES={"default": {**kit.DATABASES["default"], "CONN_MAX_AGE": None}},
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        AUTH_USER_MODEL="auth_accounts.User",
        PASSWORD_HASHERS=[*kit.PASSWORD_HASHERS, "auth_core.oauth.hashers.ClientSecretHasher"],
        INSTALLED_APPS=[
            *kit.INSTALLED_APPS, "auth_core.accounts", "oauth2_provider", "auth_core.oauth", "auth_core.oauth_resource",
        ],
        MIDDLEWARE=[],
        AUTH_CORE={**kit.AUTH_CORE, "OUTBOUND_ALLOWED_NETWORKS": ["127.0.0.0/8"], "REDIS_URL": ""},
        AUTH_OAUTH={"SIGNING_KEYS": SIGNING_KEYS},
        AUTH_RESOURCE={
            "RESOURCE": RESOURCE,
            "ISSUERS": {
                issuer.url: {},
                "https://auth.example.org": {},
                others[0]: {},
                others[1]: {"client_id": CLIENT[0], "client_secret": CLIENT[1]},
            },
        },
        OAUTH2_PROVIDER={**toolkit, "SCOPES": {"notes:read": "Read"}},
        OAUTH2_PROVIDER_APPLICATION_MODEL="oauth2_provider.Application",
        SIMPLE_JWT={
            "ALGORITHM": "ES256",
            "SIGNING_KEY": key.as_pem(private=True).decode(),
            "VERIFYING_KEY": key.as_pem(private=False).decode(),
            "AUDIENCE": RESOURCE,
            "ISSUER": issuer.url,
        },
    )  # fmt: skip


_kept: dict[str, tuple[str, str]] = {}


def _cells(issuer: Any) -> dict[str, tuple[str, str]]:
    """Return path and token of each cell. Users and tokens are made once."""
    if not _kept:
        from django.utils import timezone  # noqa: PLC0415 - models exist only now
        from oauth2_provider.models import AccessToken  # noqa: PLC0415 - as above
        from rest_framework_simplejwt.tokens import AccessToken as SimpleToken  # noqa: PLC0415 - as above

        from auth_core.oauth.models import Resource  # noqa: PLC0415 - as above
        from auth_core.oauth.testing.factories import make_application, make_tokens  # noqa: PLC0415 - as above
        from auth_core.testing.factories import make_user  # noqa: PLC0415 - as above

        alice = make_user("alice@example.org")
        Resource.objects.create(uri=RESOURCE, scopes={"notes:read": "Read"})
        web = make_application(scopes="notes:read")
        own = make_tokens(web, alice, scopes=["openid", "notes:read"], resources=[RESOURCE])["access_token"]
        expires = timezone.now() + timezone.timedelta(hours=1)
        AccessToken.objects.create(user=alice, token="t" * 40, application=web.row, expires=expires, scope="notes:read")
        simple = str(SimpleToken.for_user(alice))
        elsewhere = issuer.token(RESOURCE, exp=int(expires.timestamp()))
        _kept.update({
            "no authentication (floor)": ("/floor/", ""),
            "ours, DRF, ES256, issuer elsewhere (0 queries)": ("/ours/", elsewhere),
            "ours, decorator, ES256, issuer elsewhere (0 queries)": ("/plain/", elsewhere),
            "ours, DRF, ES256, provider in the site (1 query)": ("/ours/", own),
            "SimpleJWT, stateless user, ES256 (0 queries)": ("/simple-stateless/", simple),
            "SimpleJWT, ES256, user from the database (1 query)": ("/simple/", simple),
            "django-oauth-toolkit, opaque, from the database": ("/toolkit/", "t" * 40),
        })  # fmt: skip
    return _kept


def _views() -> list[Any]:
    from django.http import JsonResponse  # noqa: PLC0415 - settings exist only now
    from django.urls import include, path  # noqa: PLC0415 - as above
    from oauth2_provider.contrib.rest_framework import OAuth2Authentication, TokenHasScope  # noqa: PLC0415 - as above
    from rest_framework.permissions import AllowAny, IsAuthenticated  # noqa: PLC0415 - as above
    from rest_framework.response import Response  # noqa: PLC0415 - as above
    from rest_framework.views import APIView  # noqa: PLC0415 - as above
    from rest_framework_simplejwt import authentication as simple  # noqa: PLC0415 - as above

    from auth_core.oauth_resource.api.authentication import BearerAuthentication  # noqa: PLC0415 - as above
    from auth_core.oauth_resource.api.permissions import RequireScopes  # noqa: PLC0415 - as above
    from auth_core.oauth_resource.decorators import require_token  # noqa: PLC0415 - as above

    def view(authentication: list[Any], permission: Any) -> Any:
        class NotesView(APIView):
            authentication_classes = authentication
            permission_classes = [permission]
            required_scopes = ["notes:read"]

            def get(self, request: Any) -> Response:
                return Response({"ok": True})

        return NotesView.as_view()

    return [
        path("", include("auth_core.oauth.urls")),
        path("floor/", view([], AllowAny)),
        path("ours/", view([BearerAuthentication], RequireScopes("notes:read"))),
        path("plain/", require_token(scopes=["notes:read"])(lambda request: JsonResponse({"ok": True}))),
        path("simple/", view([simple.JWTAuthentication], IsAuthenticated)),
        path("simple-stateless/", view([simple.JWTStatelessUserAuthentication], IsAuthenticated)),
        path("toolkit/", view([OAuth2Authentication], TokenHasScope)),
    ]


def __getattr__(name: str) -> Any:
    """Return the URL patterns of the site, which need its settings."""
    if name == "urlpatterns":
        return _views()
    raise AttributeError(name)


def _get(handler: Any, path: str, token: str) -> int:
    statuses: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http", "wsgi.version": (1, 0),
        "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
        **({"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}),
    }  # fmt: skip
    response = handler(environ, lambda status, headers: statuses.append(status))
    response.close()
    return int(statuses[0][:3])


def _rate(act: Callable[[], object], seconds: float) -> tuple[float, float]:
    """Return calls per second, and the processor time of this process per call in microseconds."""
    began, used, count = time.perf_counter(), time.process_time(), 0
    while (passed := time.perf_counter() - began) < seconds:
        for _ in range(20):
            act()
        count += 20
    return count / passed, 1e6 * (time.process_time() - used) / count


def _count_fetches() -> list[str]:
    from auth_core.oauth_resource.keys import documents  # noqa: PLC0415 - settings exist only now

    urls: list[str] = []
    fetch = documents.fetch

    def counted(url: str, **request: Any) -> Any:
        urls.append(url)
        return fetch(url, **request)

    documents.fetch = counted
    return urls


@contextmanager
def _oidc_provider(port: int, format_: str) -> Iterator[None]:
    command = ["node", "one_client.mjs", str(port), RESOURCE, format_]
    process = subprocess.Popen(
        command, cwd=FOLDER / "node", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        if process.stdout is None or not process.stdout.readline():
            raise SystemExit("oidc-provider does not start.")
        yield
    finally:
        process.terminate()
        process.wait()


def _token_of(issuer: str) -> str:
    body = _post(f"{issuer}/token", grant_type="client_credentials", scope="notes:read", resource=RESOURCE)
    return str(json.loads(body)["access_token"])


def _post(url: str, **form: str) -> bytes:
    import requests  # noqa: PLC0415 - the environment has it

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = requests.post(url, data=urlencode(form), headers=headers, auth=CLIENT, timeout=10)
    answer.raise_for_status()
    return answer.content


def _encoded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


if __name__ == "__main__":
    main()
