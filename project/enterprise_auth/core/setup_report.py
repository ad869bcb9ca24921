"""A report for operators: is everything in place that the service needs, and if not, what should be done?

Each probe checks one part, waits two seconds at most, and shows no secrets. A probe that fails unexpectedly is
reported as an error and does not stop the others.
"""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from importlib.metadata import distribution
from ipaddress import ip_network
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

import redis
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from auth_core.conf import core
from auth_core.crypto.encryption import key_problems
from auth_core.federation.conf import federation
from auth_core.federation.connections.callback import callback_address
from auth_core.federation.providers.configuration import problems
from auth_core.request.client import UNIX
from auth_core.runtime.redis_urls import pool_of
from auth_sessions.conf import sessions
from enterprise_auth.celery import app
from enterprise_auth.core import demands
from enterprise_auth.core.conf import site
from enterprise_auth.core.static_files import REMEDY, uncollected

#: Where Linux describes the processor.
_PROCESSOR = Path("/proc/cpuinfo")

#: How long a part may take to respond, in seconds.
_SECONDS = 2.0

#: Difference to the database's clock from which codes and expiries are unreliable (faults F19).
_SKEW_WARNING, _SKEW_ERROR = timedelta(seconds=2), timedelta(seconds=30)


class Status(StrEnum):
    """The state of a part."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one probe.

    Args:
        part: The part.
        status: Its state.
        message: One sentence. Never a password, a key, or a URL that contains one.
        remedy: What to do. Empty if the state is ok.
    """

    part: str
    status: Status
    message: str
    remedy: str = ""


def report() -> list[Finding]:
    """Run every probe."""
    return [_run_probe(part, probe) for part, probe in PROBES.items()]


def _run_probe(part: str, probe: Callable[[], Finding]) -> Finding:
    try:
        return probe()
    except Exception as error:  # noqa: BLE001 - a report must not fail because of what it reports
        message = f"the check failed ({type(error).__name__})"
        return Finding(part, Status.ERROR, message, "Check the settings of this part and the log of its server.")


def _database() -> Finding:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        remedy = "Start the server, and set DATABASE_URL, or DB_NAME, DB_USER, DB_PASSWORD, DB_HOST and DB_PORT."
        return Finding("database", Status.ERROR, f"{connection.vendor} does not respond", remedy)
    if connection.vendor == "sqlite" and not site.debug:
        return Finding("database", Status.WARNING, "SQLite outside development", "Use PostgreSQL.")
    return Finding("database", Status.OK, f"{connection.vendor} responds")


def _migrations() -> Finding:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return Finding(
            "migrations", Status.ERROR, "unknown, because the database does not respond", "Fix the database first."
        )
    if missing:
        return Finding("migrations", Status.ERROR, f"{len(missing)} not applied", "Run manage.py migrate.")
    return Finding("migrations", Status.OK, "all applied")


def _clock() -> Finding:
    if connection.vendor != "postgresql":
        return Finding("clock", Status.OK, "the database uses this machine's clock")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            skew = abs(cursor.fetchone()[0] - timezone.now())
    except DatabaseError:
        return Finding(
            "clock", Status.ERROR, "unknown, because the database does not respond", "Fix the database first."
        )
    message = f"{skew.total_seconds():.1f} s from the database's clock"
    status = Status.ERROR if skew > _SKEW_ERROR else Status.WARNING if skew > _SKEW_WARNING else Status.OK
    return Finding("clock", status, message, "" if status is Status.OK else "Synchronize both machines with NTP.")


def _cache() -> Finding:
    url = core.REDIS_URL
    if not url:
        status = Status.OK if site.debug else Status.WARNING
        remedy = "" if site.debug else "Set REDIS_URL. Without it every request queries the database."
        return Finding("cache", status, "no shared cache", remedy)
    try:
        pool = pool_of(url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)
        with redis.Redis.from_pool(pool) as client:
            server = client.info("server")
    except (redis.RedisError, ValueError):
        remedy = "Start Redis, or correct REDIS_URL. The database is used meanwhile."
        return Finding("cache", Status.ERROR, "Redis does not respond", remedy)
    if server.get("redis_mode") == "cluster":
        remedy = "Use one server, or Sentinel (redis+sentinel://)."
        return Finding("cache", Status.ERROR, "a Redis Cluster is not supported", remedy)
    return Finding("cache", Status.OK, "Redis responds")


def _hashes() -> Finding:
    """Check how argon2 was compiled. Its wheel is for every processor, and takes twice the time for a hash."""
    wheel = distribution("argon2-cffi-bindings").read_text("WHEEL") or ""
    # Only wheels of a package index have these tags. One that was compiled here has that of this system alone.
    is_generic = any(f"-{tag}" in wheel for tag in ("manylinux", "musllinux"))
    if is_generic and _has_avx2():
        remedy = (
            "Compile it for this processor: CFLAGS='-O3 -mavx2' pip install --force-reinstall --no-binary"
            " argon2-cffi-bindings argon2-cffi-bindings. The image does so. Stored hashes stay valid."
        )
        message = (
            "argon2-cffi-bindings is not compiled for this processor, so a login takes about twice the processor time"
        )
        return Finding("hashes", Status.WARNING, message, remedy)
    return Finding("hashes", Status.OK, "argon2id" if is_generic else "argon2id, compiled on this system")


def _has_avx2() -> bool:
    """Return whether the processor has AVX2, as far as Linux tells."""
    try:
        return " avx2 " in _PROCESSOR.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False


def _broker() -> Finding:
    if core.OUTBOX_RELAY != "celery":
        return Finding("broker", Status.OK, f"not needed, mails are sent by {core.OUTBOX_RELAY}")
    try:
        with app.connection_for_write(connect_timeout=_SECONDS) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=_SECONDS)
    except (OSError, *app.connection_for_write().connection_errors):
        remedy = "Start the broker, or correct BROKER_URL. Mails wait in the database meanwhile."
        return Finding("broker", Status.ERROR, "the broker does not respond", remedy)
    return Finding("broker", Status.OK, "the broker responds")


def _mail() -> Finding:
    server = site.mail_server
    if server is None:
        status = Status.OK if site.debug else Status.WARNING
        return Finding("mail", status, "no mail server is used", "" if site.debug else "Set EMAIL_HOST.")
    try:
        socket.create_connection(server, timeout=_SECONDS).close()
    except OSError:
        remedy = "Start the server, or correct EMAIL_HOST and EMAIL_PORT. Mails wait meanwhile."
        return Finding("mail", Status.ERROR, f"the server at {server[0]}:{server[1]} does not respond", remedy)
    return Finding("mail", Status.OK, f"the server at {server[0]}:{server[1]} responds")


def _keys() -> Finding:
    if problems := list(key_problems()):
        remedy = "Set FIELD_KEYS to `id:base64url of 32 random bytes`."
        return Finding("keys", Status.ERROR, f"{len(problems)} field keys cannot be used", remedy)
    if not site.debug and not demands.is_strong_secret(site.secret_key):
        return Finding("keys", Status.ERROR, "SECRET_KEY is weak", "Set it to 50 random characters or more.")
    return Finding("keys", Status.OK, "can sign and encrypt")


def _hosts() -> Finding:
    host, allowed = urlsplit(core.PUBLIC_URL).hostname or "", site.allowed_hosts
    if not host:
        return Finding("hosts", Status.ERROR, "PUBLIC_URL has no host", "Set it to the URL of the service.")
    if "*" in allowed and not site.debug:
        return Finding("hosts", Status.ERROR, "every host is allowed", "List the hosts in ALLOWED_HOSTS.")
    if not any(_allows(pattern, host) for pattern in allowed):
        remedy = "Add the host of PUBLIC_URL to ALLOWED_HOSTS."
        return Finding("hosts", Status.ERROR, f"{host} of PUBLIC_URL is not allowed", remedy)
    if not site.debug and not core.PUBLIC_URL.startswith("https://"):
        return Finding("hosts", Status.ERROR, "PUBLIC_URL is not HTTPS", "Use https://.")
    return Finding("hosts", Status.OK, f"{host} is allowed")


def _allows(pattern: str, host: str) -> bool:
    return pattern in ("*", host) or (pattern.startswith(".") and f".{host}".endswith(pattern))


def _proxies() -> Finding:
    wrong = [network for network in core.TRUSTED_PROXIES if network != UNIX and not _is_network(network)]
    if wrong:
        remedy = "Set TRUSTED_PROXIES to networks such as 10.0.0.0/8, never to the whole Internet."
        return Finding("proxies", Status.ERROR, f"{len(wrong)} invalid networks", remedy)
    if not core.TRUSTED_PROXIES:
        return Finding("proxies", Status.OK, "none is trusted, clients are identified by their own address")
    return Finding("proxies", Status.OK, f"{len(core.TRUSTED_PROXIES)} trusted")


def _is_network(text: str) -> bool:
    try:
        return ip_network(text).prefixlen > 0
    except ValueError:
        return False


def _cookies() -> Finding:
    names = {**site.cookie_names, "LOGIN_COOKIE": core.LOGIN_COOKIE, "COOKIE": federation.COOKIE}
    insecure = [*site.open_cookies, *(name for name, value in names.items() if not value.startswith("__Host-"))]
    if site.debug or not insecure:
        return Finding("cookies", Status.OK, "suitable for development" if site.debug else "bound to this host")
    remedy = "Use the production settings, or set these as they do."
    return Finding("cookies", Status.ERROR, f"not bound to HTTPS and this host: {', '.join(insecure)}", remedy)


#: Maximum lifetime of a session (NIST SP 800-63B-4 sections 2.1.3, 2.2.3 and 2.3.3).
_LONGEST = {"aal1": timedelta(days=30), "aal2": timedelta(hours=24), "aal3": timedelta(hours=12)}


def _lifetimes() -> Finding:
    lifetimes = sessions.LIFETIMES
    invalid = [acr for acr, (idle, absolute) in lifetimes.items() if not timedelta(0) < idle <= absolute]
    if invalid:
        remedy = "Set AUTH_SESSIONS['LIFETIMES'] to (idle, absolute), both above zero, idle not longer than absolute."
        return Finding("lifetimes", Status.ERROR, f"invalid for {', '.join(invalid)}", remedy)
    long = [acr for acr, longest in _LONGEST.items() if acr in lifetimes and lifetimes[acr][1] > longest]
    if long:
        remedy = "Shorten them, or document why they are longer."
        return Finding("lifetimes", Status.WARNING, f"longer than NIST allows for {', '.join(long)}", remedy)
    return Finding("lifetimes", Status.OK, "within NIST SP 800-63B-4")


def _https() -> Finding:
    seconds = site.hsts_seconds
    if site.debug or seconds >= demands.HSTS_YEAR:
        return Finding("https", Status.OK, "suitable for development" if site.debug else "browsers use HTTPS only")
    message = f"browsers use HTTPS only for {seconds} s" if seconds else "browsers may use HTTP again"
    return Finding("https", Status.WARNING, message, f"Set HSTS_SECONDS to {demands.HSTS_YEAR} when HTTPS works.")


def _providers() -> Finding:
    addresses = ", ".join(callback_address(slug) for slug in federation.PROVIDERS)
    if wrong := [f"{slug}: {problem}" for slug, problem in problems()]:
        remedy = f"Set its variables or options. The callback addresses to register: {addresses}"
        return Finding("providers", Status.ERROR, "; ".join(wrong), remedy)
    return Finding(
        "providers", Status.OK, f"registered with the callback {addresses}" if addresses else "none configured"
    )


def _static() -> Finding:
    if names := uncollected():
        return Finding("static", Status.ERROR, f"{len(names)} static files are not collected", REMEDY)
    return Finding("static", Status.OK, "collected" if not site.debug else "read from the packages")


def _files() -> Finding:
    folders = site.written_folders
    closed = [f"{path} ({name})" for name, path in folders.items() if not _is_writable(Path(path))]
    if closed:
        remedy = "Make it writable for the account of the service, or set the variable to another folder."
        return Finding("files", Status.ERROR, f"not writable: {', '.join(closed)}", remedy)
    if not folders:
        return Finding("files", Status.OK, "the file system may be read-only")
    return Finding("files", Status.OK, f"only written: {', '.join(sorted(set(folders.values())))}")


def _is_writable(folder: Path) -> bool:
    """Return whether a file can be made in *folder*. Permissions say too little on a read-only file system."""
    try:
        with NamedTemporaryFile(dir=folder):
            return True
    except OSError:
        return False


PROBES: dict[str, Callable[[], Finding]] = {
    "database": _database,
    "migrations": _migrations,
    "clock": _clock,
    "cache": _cache,
    "broker": _broker,
    "mail": _mail,
    "keys": _keys,
    "hashes": _hashes,
    "hosts": _hosts,
    "proxies": _proxies,
    "cookies": _cookies,
    "lifetimes": _lifetimes,
    "https": _https,
    "providers": _providers,
    "static": _static,
    "files": _files,
}


def table(findings: list[Finding]) -> Iterator[str]:
    """Yield the lines of a readable table."""
    width = max(len(finding.part) for finding in findings)
    for finding in findings:
        yield f"{finding.status.value:<8}{finding.part:<{width + 2}}{finding.message}"
        if finding.remedy:
            yield f"{'':<{width + 10}}-> {finding.remedy}"
