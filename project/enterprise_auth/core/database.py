"""Settings of the database."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from enterprise_auth.env import Environment


def postgresql(env: Environment) -> dict[str, Any]:
    """Return Django's settings for PostgreSQL, from ``DATABASE_URL`` or ``DB_*``.

    Each process has a pool with a connection for each thread. Behind a pooler in transaction mode it has none,
    and uses nothing that outlives a transaction.
    """
    address = _from_url(env) if env.text("DATABASE_URL") else _from_parts(env)
    by_transaction = env.one_of("DB_POOLER", "", "transaction") == "transaction"
    threads = env.number("WEB_THREADS")
    options: dict[str, Any] = {**address.pop("OPTIONS"), "connect_timeout": 2}
    if not by_transaction:
        options["pool"] = {"min_size": 1, "max_size": threads + 2, "timeout": 2}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **address,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": by_transaction,
        "OPTIONS": options,
    }


def _from_url(env: Environment) -> dict[str, Any]:
    parts = urlsplit(env.text("DATABASE_URL"))
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        env.wrong("DATABASE_URL", "must be postgres://user:password@host:port/name")
    return {
        "NAME": parts.path.strip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def _from_parts(env: Environment) -> dict[str, Any]:
    if not env.text("DB_NAME"):
        env.wrong("DATABASE_URL", "is missing, and DB_NAME too")
    names = {"NAME": "DB_NAME", "USER": "DB_USER", "PASSWORD": "DB_PASSWORD", "HOST": "DB_HOST", "PORT": "DB_PORT"}
    return {**{key: env.text(name) for key, name in names.items()}, "OPTIONS": {}}
