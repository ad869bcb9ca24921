"""Putting a statement to the database: the one that is written to, prepared where that is possible."""

from datetime import datetime
from typing import Any

from django.db import connections, router

from auth_core.runtime import prepared_statements
from auth_rbac.models import Assignment


def ask(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return what the database says; never a replica, which may be behind a revocation."""
    return prepared_statements.put(_connection(), statement, values)


def ask_of(user: Any, statement: str, moment: datetime, **values: Any) -> list[tuple[Any, ...]]:
    """Ask about what *user* holds at *moment*."""
    return ask(statement, {**values, "user": key_of_user(user), "now": native_moment(moment)})


def key_of_user(user: Any) -> Any:
    """Return the key of *user* as the database has it."""
    return native_key(user, user.pk)


def native_key(model: Any, key: Any) -> Any:
    """Return a primary key of *model* as the database has it."""
    return model._meta.pk.get_db_prep_value(key, _connection())


def native_moment(moment: datetime) -> Any:
    """Return *moment* as the database has it."""
    return _connection().ops.adapt_datetimefield_value(moment)


def moment_from(stored: Any, like: datetime) -> datetime | None:
    """Return a moment that came out of a statement of ours: SQLite has only text."""
    if stored is None or isinstance(stored, datetime):
        return stored
    return datetime.fromisoformat(stored).replace(tzinfo=like.tzinfo)


def _connection() -> Any:
    return connections[router.db_for_write(Assignment)]
