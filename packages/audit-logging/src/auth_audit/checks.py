"""System checks."""

from collections.abc import Callable, Sequence
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name for it
from django.db import Error as DatabaseError
from django.db import connections, router

from auth_audit.conf import audit
from auth_audit.deliver import sinks
from auth_audit.models import AuditEntry
from auth_audit.seal import keys
from auth_audit.storage import guards, partitions
from auth_core.conf import site_middleware

_MIDDLEWARE = "auth_audit.middleware.AdminChangesMiddleware"


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Report unknown keys of ``AUTH_AUDIT``."""
    return audit.unknown_key_errors("auth_audit.E002")


@register(Tags.security)
def check_keys(**kwargs: Any) -> list[CheckMessage]:
    """Report missing or malformed signing keys. A key is never generated."""
    return [
        Error(
            f"Checkpoints cannot be signed: {problem}",
            hint="Set AUTH_AUDIT['SIGNING_KEYS'], or AUTH_CORE['FIELD_KEYS'] to derive keys from.",
            id="auth_audit.E003",
        )
        for problem in keys.problems()
    ]


@register()
def check_sinks(**kwargs: Any) -> list[CheckMessage]:
    """Report sinks that are not valid, because nothing would be sent."""
    return [
        Error(f"{problem}", hint="Correct AUTH_AUDIT['SINKS'].", id="auth_audit.E004")
        for config in audit.SINKS
        if (problem := sinks.sink_problem(config)) is not None
    ]


@register()
def check_middleware(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a site with Django's admin without the middleware that records its changes."""
    if not apps.is_installed("django.contrib.admin") or _MIDDLEWARE in site_middleware():
        return []
    hint = f"Add {_MIDDLEWARE!r} at the end of MIDDLEWARE."
    message = "AdminChangesMiddleware is missing. The trail would have no entries of changes in the admin."
    return [Error(message, hint=hint, id="auth_audit.E005")]


@register(Tags.database)
def check_guards(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Report missing guards, because the trail could be changed (ASVS 16.4.2)."""
    return [
        Error(
            f"The guard {guard} is missing or altered. The audit trail can be changed.",
            hint="Run `manage.py migrate` to install it again, and find out who removed it.",
            id="auth_audit.E001",
        )
        for guard in _missing(guards.missing, databases)
    ]


@register(Tags.database)
def check_partitions(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn about missing partitions. Entries of such a month go to the default partition."""
    return [
        Warning(
            f"The partition {partition} does not exist.",
            hint="Run `manage.py audit_partitions`, and run `manage.py sweep` daily.",
            id="auth_audit.W001",
        )
        for partition in _missing(partitions.missing, databases)
    ]


@register(Tags.database)
def check_partitioned_tables(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn about tables that were created without migrations, because they cannot be partitioned later."""
    return [
        Warning(
            f"The table {table} is not partitioned.",
            hint=(
                "It was created without migrations. Remove auth_audit from MIGRATION_MODULES, drop the tables of "
                "auth_audit, and run `manage.py migrate`."
            ),
            id="auth_audit.W002",
        )
        for table in _missing(_unpartitioned, databases)
    ]


def _unpartitioned(alias: str) -> list[str]:
    if connections[alias].vendor != "postgresql" or partitions.is_partitioned(alias):
        return []
    return [guards.TABLE]


def _missing(find: Callable[[str], list[str]], databases: Sequence[str] | None) -> list[str]:
    """Return what is missing in each database that has the trail. An unreachable database is left to other checks."""
    missing = []
    for alias in databases or ():
        try:
            if router.allow_migrate_model(alias, AuditEntry) and guards.table_exists(alias):
                missing += find(alias)
        except DatabaseError:
            continue
    return missing
