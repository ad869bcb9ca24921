"""Probes: whether a part that the service needs is there."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string

from auth_core.conf import core
from auth_core.crypto.encryption import key_problems
from auth_core.runtime.redis_cache import CacheLost, shared_cache

#: Set once this process has seen its tables.
_migrated = threading.Event()


class Status(StrEnum):
    """How a part, or the whole, is; the worst of the parts is the whole's."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found out about one part; nothing that a stranger could use."""

    name: str
    status: Status


def readiness() -> list[Probe]:
    """Run every probe that settings name, in order."""
    probes: list[Callable[[], Probe]] = [import_string(path) for path in core.READINESS]
    return [probe() for probe in probes]


def database() -> Probe:
    """Ask the database for anything at all."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return Probe("database", Status.FAILED)
    return Probe("database", Status.OK)


def migrations() -> Probe:
    """See whether the tables are those that this code expects; asked until they are, then never again.

    The graph of all migrations is read from disk for it, which nobody who can reach
    ``/ready/`` may have done as often as they like. Other code comes with another process.
    """
    if _migrated.is_set():
        return Probe("migrations", Status.OK)
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error:
        return Probe("migrations", Status.FAILED)
    if missing:
        return Probe("migrations", Status.FAILED)
    _migrated.set()
    return Probe("migrations", Status.OK)


def keys() -> Probe:
    """See whether the field keys can be used."""
    return Probe("keys", Status.FAILED if key_problems() else Status.OK)


def cache() -> Probe:
    """Ask the shared cache, if there is one; without it the service is slower, and right."""
    shared = shared_cache(core.REDIS_URL)
    try:
        if shared is not None:
            shared.ping()
    except CacheLost:
        return Probe("cache", Status.DEGRADED)
    return Probe("cache", Status.OK)
