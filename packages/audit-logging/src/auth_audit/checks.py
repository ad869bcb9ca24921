"""System checks."""

from collections.abc import Callable, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name for it
from django.db import Error as DatabaseError
from django.db import router

from auth_audit.conf import audit
from auth_audit.deliver import sinks
from auth_audit.models import AuditEntry
from auth_audit.seal import keys
from auth_audit.storage import guards, partitions


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Refuse keys of ``AUTH_AUDIT`` that nobody reads."""
    return audit.unknown_key_errors("auth_audit.E002")


@register(Tags.security)
def check_keys(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to run without keys that sign checkpoints; none is ever made up."""
    return [
        Error(
            f"Checkpoints of the trail cannot be signed: {problem}",
            hint="Set AUTH_AUDIT['SIGNING_KEYS'], or AUTH_CORE['FIELD_KEYS'], from which keys are derived.",
            id="auth_audit.E003",
        )
        for problem in keys.problems()
    ]


@register()
def check_sinks(**kwargs: Any) -> list[CheckMessage]:
    """Refuse sinks that are none: nobody would be told."""
    return [
        Error(str(problem), id="auth_audit.E004")
        for told in audit.SINKS
        if (problem := sinks.problem_of(told)) is not None
    ]


@register(Tags.database)
def check_guards(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse to run with a trail that could be changed (ASVS 16.4.2)."""
    return [
        Error(
            f"The guard {guard} does not stand: the audit trail can be changed.",
            hint="Run migrate, which lays the guards again; find out who took them away.",
            id="auth_audit.E001",
        )
        for guard in _missing(guards.missing, databases)
    ]


@register(Tags.database)
def check_partitions(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn of months that have no partition; their entries would gather in the default one."""
    return [
        Warning(
            f"The partition {partition} does not stand.",
            hint="Run `manage.py audit_partitions`; `manage.py sweep`, run daily, makes them ahead.",
            id="auth_audit.W001",
        )
        for partition in _missing(partitions.missing, databases)
    ]


def _missing(what: Callable[[str], list[str]], databases: Sequence[str] | None) -> list[str]:
    """Ask each database that holds the trail; one that does not answer is another check's business."""
    missing = []
    for alias in databases or ():
        try:
            if router.allow_migrate_model(alias, AuditEntry) and guards.table_stands(alias):
                missing += what(alias)
        except DatabaseError:
            continue
    return missing
