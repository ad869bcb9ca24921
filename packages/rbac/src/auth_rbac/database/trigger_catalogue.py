"""The triggers of this package that PostgreSQL has."""

from typing import NamedTuple

from django.db import connections

_INSTALLED = """
SELECT c.relname, t.tgname, p.prosrc
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE t.tgenabled IN ('O', 'A') AND t.tgname LIKE 'auth\\_rbac\\_%' AND c.relnamespace = current_schema()::regnamespace
"""


class InstalledTrigger(NamedTuple):
    """An enabled trigger.

    Args:
        body: The body of its function. Another one than ours is outdated.
    """

    table: str
    name: str
    body: str


def installed_triggers(alias: str) -> set[InstalledTrigger]:
    """Return the enabled triggers of a PostgreSQL database whose names begin with ``auth_rbac_``."""
    with connections[alias].cursor() as cursor:
        cursor.execute(_INSTALLED)
        return {InstalledTrigger(*row) for row in cursor.fetchall()}
