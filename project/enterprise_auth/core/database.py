"""Settings of the database."""

from typing import Any

from enterprise_auth.core.database_url import InvalidUrl, parse
from enterprise_auth.env import Environment


def postgresql(env: Environment) -> dict[str, Any]:
    """Return Django's settings for PostgreSQL, from ``DATABASE_URL`` or ``DB_*``.

    Each process has a pool with a connection for each thread, those of logins included. Behind a pooler in transaction mode it has none,
    and uses nothing that outlives a transaction.
    """
    address = _from_url(env) if env.text("DATABASE_URL") else _from_parts(env)
    by_transaction = env.one_of("DB_POOLER", "", "transaction") == "transaction"
    threads = env.number("WEB_THREADS") + env.number("WEB_LOGIN_THREADS")
    options: dict[str, Any] = {"connect_timeout": 2, **address.pop("OPTIONS")}
    if not by_transaction:
        options["pool"] = {"min_size": 1, "max_size": threads + 2, "timeout": 2}
    return {
        "ENGINE": "enterprise_auth.postgresql",
        **address,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": by_transaction,
        "OPTIONS": options,
    }


def _from_url(env: Environment) -> dict[str, Any]:
    try:
        address = parse(env.text("DATABASE_URL"))
    except InvalidUrl as problem:
        env.wrong("DATABASE_URL", str(problem))
        return {"OPTIONS": {}}
    return {**address.settings, "OPTIONS": address.options}


def _from_parts(env: Environment) -> dict[str, Any]:
    if not env.text("DB_NAME"):
        env.wrong("DATABASE_URL", "is missing, and DB_NAME too")
    if "://" in env.text("DB_HOST"):
        env.wrong("DB_HOST", "must be a host or a folder, not a URL")
    if not all(port.isascii() and port.isdigit() for port in env.many("DB_PORT")):
        env.wrong("DB_PORT", "must be a whole number")
    names = {"NAME": "DB_NAME", "USER": "DB_USER", "PASSWORD": "DB_PASSWORD", "HOST": "DB_HOST", "PORT": "DB_PORT"}
    return {**{key: env.text(name) for key, name in names.items()}, "OPTIONS": {}}
