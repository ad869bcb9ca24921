"""Health probes of the parts that the service needs."""

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

#: Set once this process has found its migrations applied.
_migrated = threading.Event()


class Status(StrEnum):
    """The status of a part or of the service. The service has the worst status of its parts."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Probe:
    """The result of one probe. It contains nothing that helps an attacker."""

    name: str
    status: Status


def readiness() -> list[Probe]:
    """Run the configured probes in order."""
    probes: list[Callable[[], Probe]] = [import_string(path) for path in core.READINESS]
    return [probe() for probe in probes]


def database() -> Probe:
    """Check that the database answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return Probe("database", Status.FAILED)
    return Probe("database", Status.OK)


def migrations() -> Probe:
    """Check that all migrations are applied. Once they are, this process does not check again.

    The check reads the graph of all migrations from disk, so it must not run for every request to ``/ready/``. New code
    starts a new process.
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
    """Check that the field keys are usable."""
    return Probe("keys", Status.FAILED if key_problems() else Status.OK)


def cache() -> Probe:
    """Check the shared cache, if there is one. Without it the service is slower but correct."""
    shared = shared_cache(core.REDIS_URL)
    try:
        if shared is not None:
            shared.ping()
    except CacheLost:
        return Probe("cache", Status.DEGRADED)
    return Probe("cache", Status.OK)
