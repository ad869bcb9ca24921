"""What the trail listens to."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS, router
from django.db.models.signals import post_migrate

from auth_audit.append.append import append
from auth_audit.models import AuditEntry
from auth_audit.storage import guards, partitions
from auth_core.events import Event, event_recorded


def connect() -> None:
    """Listen to every event, and to the end of every migration."""
    event_recorded.connect(keep, dispatch_uid="auth_audit.keep")
    # Of any app: another one's migration may have remade our table, too.
    post_migrate.connect(prepare_table, dispatch_uid="auth_audit.prepare_table")


def keep(event: Event, **kwargs: Any) -> None:
    """Keep the event, or undo the change; it is sent inside the transaction: no audit, no entry."""
    append(event)


def prepare_table(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Lay the guards again, and make partitions ahead, where this database has our table."""
    if router.allow_migrate_model(using, AuditEntry) and guards.table_stands(using):
        guards.lay(using)
        partitions.make_ahead(using)
