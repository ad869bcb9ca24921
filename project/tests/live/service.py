"""Starts the service as an operator does, with servers of its own."""

import base64
import os
import secrets
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.db import connection

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Service:
    """The composed service: its web server with two workers, its own TLS, and production settings.

    Args:
        folder: The folder for certificate, log and counter.
        redis_url: The URL of its Redis.
        environment: Further environment variables.
        beside: Another node of the same service, whose database and keys this node shares.
    """

    folder: Path
    redis_url: str
    environment: dict[str, str] = field(default_factory=dict)
    beside: "Service | None" = None

    def __enter__(self) -> Self:
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.certificate, self._key = _self_signed(self.folder)
        self.count_file = self.folder / "evaluated"
        self._static = self.folder / "static" if self.beside is None else self.beside._static
        if self.beside is None:
            self.database = f"test_live_{os.getpid()}_{secrets.token_hex(3)}"
            self._administer(f'CREATE DATABASE "{self.database}"')
            self.manage("migrate", "--verbosity", "0")
            self.manage("collectstatic", "--no-input", "--verbosity", "0")
        else:
            self.database, self._secrets = self.beside.database, self.beside._secrets
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.terminate()
        try:
            self._server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._server.kill()
            raise
        self._log.close()
        if self.beside is None:
            self._administer(f'DROP DATABASE "{self.database}" WITH (FORCE)')

    @property
    def evaluated(self) -> int:
        """The number of passwords evaluated so far, in all processes."""
        return self.count_file.stat().st_size if self.count_file.exists() else 0

    @property
    def log(self) -> str:
        """The log of the service."""
        return (self.folder / "service.log").read_text()

    def session(self) -> requests.Session:
        """Return a client that trusts the certificate."""
        caller = requests.Session()
        caller.trust_env = False
        caller.verify = str(self.certificate)
        return caller

    def post(self, path: str, body: dict[str, Any], **options: Any) -> requests.Response:
        """POST as a new client."""
        with self.session() as caller:
            return caller.post(f"{self.url}/api/v1/{path}", json=body, timeout=60, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET as a new client."""
        with self.session() as caller:
            return caller.get(f"{self.url}/{path}", timeout=60, **options)

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run manage.py on this service."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.variables(), input=stdin, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Query the service's database."""
        with psycopg.connect(**{**connection_parameters(), "dbname": self.database}) as database:
            return database.execute(sql).fetchall()  # type: ignore[arg-type]  # a literal of a test

    def execute(self, sql: str, *values: Any) -> None:
        """Change the service's database."""
        with psycopg.connect(**{**connection_parameters(), "dbname": self.database}, autocommit=True) as database:
            database.execute(sql, values)  # type: ignore[arg-type]  # a literal of a test

    def remove_superusers(self) -> None:
        """Take all superusers away, although the site would keep its last administrator."""
        trigger = "ALTER TABLE auth_accounts_user {} TRIGGER auth_rbac_last_administrator"
        self.execute(trigger.format("DISABLE"))
        self.execute("UPDATE auth_accounts_user SET is_superuser = false, is_staff = false WHERE is_superuser")
        self.execute(trigger.format("ENABLE"))

    @contextmanager
    def without_database(self) -> Iterator[None]:
        """Make PostgreSQL end the service's connections and refuse new ones."""
        self._administer(f'ALTER DATABASE "{self.database}" ALLOW_CONNECTIONS false')
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname"
        self._administer(f"{ended} = '{self.database}'")
        try:
            yield
        finally:
            self._administer(f'ALTER DATABASE "{self.database}" ALLOW_CONNECTIONS true')

    def _start(self) -> None:
        self._log = (self.folder / "service.log").open("w")
        self._server = subprocess.Popen(
            [
                sys.executable, "-m", "enterprise_auth.web_server", "--host", "127.0.0.1", "--port", str(self.port),
                "--certificate", str(self.certificate), "--key", str(self._key),
            ],
            env=self.variables(), stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        deadline = time.monotonic() + 180
        while not self._answers():
            if time.monotonic() > deadline or self._server.poll() is not None:
                raise AssertionError(self.log)
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return self.get("health/").status_code == 200
        except requests.RequestException:
            return False

    def variables(self) -> dict[str, str]:
        """Return the environment of its processes."""
        if not hasattr(self, "_secrets"):
            field_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
            self._secrets = {"SECRET_KEY": secrets.token_urlsafe(64), "FIELD_KEYS": f"live:{field_key}"}
        server = connection_parameters()
        return {
            "PATH": os.environ["PATH"],
            # The packages under test may be others than the installed ones, as when a defect is planted in a copy.
            "PYTHONPATH": os.pathsep.join([str(ROOT / "project" / "tests"), os.environ.get("PYTHONPATH", "")]),
            "DJANGO_SETTINGS_MODULE": "live.site",
            "PUBLIC_URL": self.url,
            "ALLOWED_HOSTS": "localhost",
            "DB_NAME": self.database,
            "DB_USER": server["user"],
            "DB_PASSWORD": server["password"],
            "DB_HOST": server["host"],
            "DB_PORT": server["port"],
            "REDIS_URL": self.redis_url,
            "WEB_WORKERS": "2",
            "WEB_THREADS": "8",
            "WEB_LOGIN_QUEUE": "256",
            "WEB_LOGIN_WAIT": "60",
            "LIVE_COUNT": str(self.count_file),
            "LIVE_STATIC": str(self._static),
            **self._secrets,
            **self.environment,
        }

    def _administer(self, sql: str) -> None:
        with psycopg.connect(**{**connection_parameters(), "dbname": "postgres"}, autocommit=True) as server:
            server.execute(sql)  # type: ignore[arg-type]  # the name comes from this class


def connection_parameters() -> dict[str, str]:
    settings = connection.settings_dict
    return {
        "user": settings["USER"], "password": settings["PASSWORD"], "host": settings["HOST"],
        "port": str(settings["PORT"] or 5432),
    }  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _self_signed(folder: Path) -> tuple[Path, Path]:
    """Create a certificate for localhost, valid for an hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(minutes=5))
        .not_valid_after(datetime.now(UTC) + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()))
    ssl.create_default_context().load_verify_locations(paths[0])
    return paths
