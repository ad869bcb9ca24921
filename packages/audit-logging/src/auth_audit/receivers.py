"""Receivers of signals."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS, router
from django.db.models.signals import post_migrate

from auth_audit.append.append import append
from auth_audit.models import AuditEntry
from auth_audit.storage import guards, partitions
from auth_core.events import Event, event_recorded


def connect() -> None:
    """Connect the receivers to every event and to the end of every migration."""
    event_recorded.connect(append_event, dispatch_uid="auth_audit.keep")
    # Connected for all apps, because a migration of another app may recreate the table.
    post_migrate.connect(prepare_table, dispatch_uid="auth_audit.prepare_table")


def append_event(event: Event, **kwargs: Any) -> None:
    """Append the event. If that fails, the open transaction is rolled back: no change without its entry."""
    append(event)


def prepare_table(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Install missing guards and create partitions ahead, if this database has the table."""
    if router.allow_migrate_model(using, AuditEntry) and guards.table_exists(using):
        guards.install(using)
        partitions.make_ahead(using)
