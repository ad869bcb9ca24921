"""An index that guardian's generic tables lack: by object, for who may do something to it.

Guardian's own begin with the permission and the person; without this one, asking about an
object reads every grant of the permission.
"""

from collections.abc import Iterator
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from auth_rbac.models import PersonVersion

_COLUMNS = ("content_type_id", "object_pk", "permission_id")


def lay(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Make what is absent; on a large table that is there already, writers wait until it is made."""
    connection = connections[alias]
    tables = set(connection.introspection.table_names())
    if PersonVersion._meta.db_table not in tables:
        # On the way back: nothing of ours stays on tables of others.
        return
    columns = ", ".join(_COLUMNS)
    with connection.cursor() as cursor:
        for table in _tables():
            if table in tables:
                name, quoted = _name(table), connection.ops.quote_name(table)
                cursor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {quoted} ({columns})")


def lift(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Take them away, before our tables go."""
    with connections[alias].cursor() as cursor:
        for table in _tables():
            cursor.execute(f"DROP INDEX IF EXISTS {_name(table)}")


def _tables() -> Iterator[str]:
    models: list[Any] = [get_user_obj_perms_model(), get_group_obj_perms_model()]
    for model in models:
        if model.objects.is_generic():
            yield model._meta.db_table


def _name(table: str) -> str:
    """Return a name that PostgreSQL does not cut: the last letters say which table it is."""
    return f"auth_rbac_of_{table}"[:63]
