"""Adds the index that guardian's generic tables lack: by object.

Guardian's own indexes begin with the permission and the person. Without this one, the question who has a
permission for an object reads every grant of the permission.
"""

from collections.abc import Iterator
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from auth_rbac.models import PersonVersion

_COLUMNS = ("content_type_id", "object_pk", "permission_id")


def lay(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Create the missing indexes. On a large existing table, writers wait until the index is built."""
    connection = connections[alias]
    tables = set(connection.introspection.table_names())
    if PersonVersion._meta.db_table not in tables:
        # The migrations are being reversed: leave nothing on the tables of other apps.
        return
    columns = ", ".join(_COLUMNS)
    with connection.cursor() as cursor:
        for table in _tables():
            if table in tables:
                name, quoted = _name(table), connection.ops.quote_name(table)
                cursor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {quoted} ({columns})")


def lift(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Drop the indexes before the tables of this app are dropped."""
    with connections[alias].cursor() as cursor:
        for table in _tables():
            cursor.execute(f"DROP INDEX IF EXISTS {_name(table)}")


def _tables() -> Iterator[str]:
    models: list[Any] = [get_user_obj_perms_model(), get_group_obj_perms_model()]
    for model in models:
        if model.objects.is_generic():
            yield model._meta.db_table


def _name(table: str) -> str:
    """Return a name of at most 63 characters, which PostgreSQL does not cut off."""
    return f"auth_rbac_of_{table}"[:63]
