"""What an operator asks first: is everything there that the service needs, and if not, what is to be done?

Each probe looks at one part, waits two seconds at most, and says nothing secret; one
that fails in a way nobody foresaw is an error of its own, and stops no other.
"""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_network
from urllib.parse import urlsplit

import redis
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from auth_core.conf import core
from auth_core.crypto.encryption import key_problems
from auth_core.request.client import UNIX
from auth_sessions.conf import sessions
from enterprise_auth.celery import app
from enterprise_auth.core import demands
from enterprise_auth.core.conf import site

#: How long a part may take to answer.
_SECONDS = 2.0

#: Ahead of or behind the database's clock: codes and expiries go wrong beyond it (faults F19).
_SKEW_SEEN, _SKEW_WRONG = timedelta(seconds=2), timedelta(seconds=30)


class Status(StrEnum):
    """How a part is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one part.

    Args:
        told: One sentence; never a password, a key, or a URL that holds one.
        remedy: What to do; empty when all is well.
    """

    part: str
    status: Status
    told: str
    remedy: str = ""


def report() -> list[Finding]:
    """Look at every part, whatever becomes of the others."""
    return [_looked_at(part, probe) for part, probe in PROBES.items()]


def _looked_at(part: str, probe: Callable[[], Finding]) -> Finding:
    try:
        return probe()
    except Exception as problem:  # noqa: BLE001 - a report that dies of what it should report is none
        told = f"could not be looked at ({type(problem).__name__})"
        return Finding(part, Status.ERROR, told, "Look at the settings of this part, and at its server's log.")


def _database() -> Finding:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        remedy = "Start the server, and set DATABASE_URL or DB_NAME, DB_USER, DB_PASSWORD, DB_HOST and DB_PORT."
        return Finding("database", Status.ERROR, f"{connection.vendor} does not answer", remedy)
    if connection.vendor == "sqlite" and not site.debug:
        return Finding("database", Status.WARNING, "SQLite outside development", "Use PostgreSQL.")
    return Finding("database", Status.OK, f"{connection.vendor} answers")


def _migrations() -> Finding:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return Finding("migrations", Status.ERROR, "not known while the database is away", "See database.")
    if missing:
        return Finding("migrations", Status.ERROR, f"{len(missing)} are not applied", "Run manage.py migrate.")
    return Finding("migrations", Status.OK, "all are applied")


def _clock() -> Finding:
    if connection.vendor != "postgresql":
        return Finding("clock", Status.OK, "the database uses this machine's clock")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            skew = abs(cursor.fetchone()[0] - timezone.now())
    except DatabaseError:
        return Finding("clock", Status.ERROR, "not known while the database is away", "See database.")
    told = f"{skew.total_seconds():.1f} s from the database's clock"
    status = Status.ERROR if skew > _SKEW_WRONG else Status.WARNING if skew > _SKEW_SEEN else Status.OK
    return Finding("clock", status, told, "" if status is Status.OK else "Let both machines keep time with NTP.")


def _cache() -> Finding:
    url = core.REDIS_URL
    if not url:
        status = Status.OK if site.debug else Status.WARNING
        remedy = "" if site.debug else "Set REDIS_URL: without it every request asks the database."
        return Finding("cache", status, "none is shared", remedy)
    try:
        with redis.Redis.from_url(url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS) as client:
            client.ping()
    except redis.RedisError:
        remedy = "Start Redis, or correct REDIS_URL; until then the database does its work."
        return Finding("cache", Status.ERROR, "Redis does not answer", remedy)
    return Finding("cache", Status.OK, "Redis answers")


def _broker() -> Finding:
    if core.OUTBOX_RELAY != "celery":
        return Finding("broker", Status.OK, f"none is needed: mails are relayed by {core.OUTBOX_RELAY}")
    try:
        with app.connection_for_write(connect_timeout=_SECONDS) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=_SECONDS)
    except (OSError, *app.connection_for_write().connection_errors):
        remedy = "Start the broker, or correct BROKER_URL; mails wait in the database until then."
        return Finding("broker", Status.ERROR, "the broker does not answer", remedy)
    return Finding("broker", Status.OK, "the broker answers")


def _mail() -> Finding:
    server = site.mail_server
    if server is None:
        status = Status.OK if site.debug else Status.WARNING
        return Finding("mail", status, "mails leave by no server", "" if site.debug else "Set EMAIL_HOST.")
    try:
        socket.create_connection(server, timeout=_SECONDS).close()
    except OSError:
        remedy = "Start the server, or correct EMAIL_HOST and EMAIL_PORT; mails wait until then."
        return Finding("mail", Status.ERROR, f"the server at {server[0]}:{server[1]} does not answer", remedy)
    return Finding("mail", Status.OK, f"the server at {server[0]}:{server[1]} answers")


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
        return Finding("hosts", Status.ERROR, "PUBLIC_URL names no host", "Set it to where people reach the service.")
    if "*" in allowed and not site.debug:
        return Finding("hosts", Status.ERROR, "every host is let in", "List the hosts in ALLOWED_HOSTS.")
    if not any(_allows(pattern, host) for pattern in allowed):
        remedy = "Add the host of PUBLIC_URL to ALLOWED_HOSTS."
        return Finding("hosts", Status.ERROR, f"{host} is linked to, and not let in", remedy)
    if not site.debug and not core.PUBLIC_URL.startswith("https://"):
        return Finding("hosts", Status.ERROR, "PUBLIC_URL is not HTTPS", "Begin it with https://.")
    return Finding("hosts", Status.OK, f"{host} is let in")


def _allows(pattern: str, host: str) -> bool:
    return pattern in ("*", host) or (pattern.startswith(".") and f".{host}".endswith(pattern))


def _proxies() -> Finding:
    wrong = [network for network in core.TRUSTED_PROXIES if network != UNIX and not _is_network(network)]
    if wrong:
        remedy = "Give networks such as 10.0.0.0/8 in TRUSTED_PROXIES; never all of the Internet."
        return Finding("proxies", Status.ERROR, f"{len(wrong)} are no networks of ours", remedy)
    if not core.TRUSTED_PROXIES:
        return Finding("proxies", Status.OK, "none is believed; clients are known by their own address")
    return Finding("proxies", Status.OK, f"{len(core.TRUSTED_PROXIES)} are believed")


def _is_network(text: str) -> bool:
    try:
        return ip_network(text).prefixlen > 0
    except ValueError:
        return False


def _cookies() -> Finding:
    names = {**site.cookie_names, "LOGIN_COOKIE": core.LOGIN_COOKIE}
    loose = [*site.open_cookies, *(name for name, value in names.items() if not value.startswith("__Host-"))]
    if site.debug or not loose:
        return Finding("cookies", Status.OK, "as development needs them" if site.debug else "bound to this host")
    remedy = "Use the settings of production, or set these as it does."
    return Finding("cookies", Status.ERROR, f"not bound to HTTPS and this host: {', '.join(loose)}", remedy)


#: NIST SP 800-63B-4 sections 2.1.3, 2.2.3 and 2.3.3: how long a session may last at most.
_LONGEST = {"aal1": timedelta(days=30), "aal2": timedelta(hours=24), "aal3": timedelta(hours=12)}


def _lifetimes() -> Finding:
    given = sessions.LIFETIMES
    absurd = [acr for acr, (idle, absolute) in given.items() if not timedelta(0) < idle <= absolute]
    if absurd:
        remedy = "Let AUTH_SESSIONS['LIFETIMES'] be (idle, absolute), both above zero, idle the shorter."
        return Finding("lifetimes", Status.ERROR, f"cannot be at {', '.join(absurd)}", remedy)
    long = [acr for acr, longest in _LONGEST.items() if acr in given and given[acr][1] > longest]
    if long:
        remedy = "Shorten them, or write down why not."
        return Finding("lifetimes", Status.WARNING, f"longer than NIST has it at {', '.join(long)}", remedy)
    return Finding("lifetimes", Status.OK, "within NIST SP 800-63B-4")


PROBES: dict[str, Callable[[], Finding]] = {
    "database": _database,
    "migrations": _migrations,
    "clock": _clock,
    "cache": _cache,
    "broker": _broker,
    "mail": _mail,
    "keys": _keys,
    "hosts": _hosts,
    "proxies": _proxies,
    "cookies": _cookies,
    "lifetimes": _lifetimes,
}


def table(findings: list[Finding]) -> Iterator[str]:
    """Yield the lines of a table for people."""
    wide = max(len(finding.part) for finding in findings)
    for finding in findings:
        yield f"{finding.status.value:<8}{finding.part:<{wide + 2}}{finding.told}"
        if finding.remedy:
            yield f"{'':<{wide + 10}}-> {finding.remedy}"
