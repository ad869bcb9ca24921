"""Triggers on the tables of the site: the rights for an object end when the object is deleted, in any way.

Rights for single objects name the object by its key, without a foreign key. Without these triggers they would outlive
the object and pass to the next object with the same key. A trigger covers every way: the ORM, bulk deletes, which
send no signal, cascades, SQL, TRUNCATE, and a changed key.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, connections, models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from auth_rbac.database import orphans
from auth_rbac.database.trigger_catalogue import InstalledTrigger, installed_triggers
from auth_rbac.models import (
    Assignment,
    GraphVersion,
    GroupIdentity,
    PersonVersion,
    RoleClosure,
    RoleEdge,
    ServiceVersion,
    Wildcard,
)

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

#: Models for whose rows there are no rights.
_NO_OBJECTS = (
    Assignment, GraphVersion, GroupIdentity, PersonVersion, RoleClosure, RoleEdge, ServiceVersion, Wildcard,
    UserObjectPermissionBase, GroupObjectPermissionBase,
)  # fmt: skip


class _Guard(NamedTuple):
    """A trigger on the table of a model.

    Args:
        operation: ``DELETE``, ``UPDATE`` (of the key) or ``TRUNCATE``.
    """

    model: type[models.Model]
    operation: str

    @property
    def table(self) -> str:
        """The name of the table."""
        return self.model._meta.db_table

    @property
    def name(self) -> str:
        """The name of the trigger."""
        return f"auth_rbac_end_on_{self.operation.lower()}"


#: When each trigger fires on PostgreSQL, and the function it runs. An update fires only for rows whose key changes.
_FIRES = {
    "DELETE": ("AFTER DELETE ON {table} REFERENCING OLD TABLE AS auth_rbac_gone FOR EACH STATEMENT", "auth_rbac_end"),
    "UPDATE": (
        "AFTER UPDATE OF {key} ON {table} FOR EACH ROW WHEN (OLD.{key} IS DISTINCT FROM NEW.{key})",
        "auth_rbac_end_of_moved",
    ),
    "TRUNCATE": ("AFTER TRUNCATE ON {table} FOR EACH STATEMENT", "auth_rbac_end_of_all"),
}

#: The condition for the keys in each function. The arguments of a trigger are the app, the model and the key column.
_KEYS = {
    "auth_rbac_end": " AND {key} IN (SELECT %1$I::text FROM auth_rbac_gone)",
    "auth_rbac_end_of_moved": " AND {key} = ($2).%1$I::text",
    "auth_rbac_end_of_all": "",
}

#: Tables that can have these triggers. PostgreSQL cannot collect the rows of a partition for a statement.
_ORDINARY = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"

#: The same on SQLite. A virtual table, such as the search index of Wagtail, can have no trigger.
_ORDINARY_SQLITE = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL TABLE%'"


def lay(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Create every missing trigger, and remove the rights of objects that were deleted while it was missing."""
    absent = missing(alias)
    if not absent:
        return
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for name, body in _functions().items():
                cursor.execute(f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
        for guard in absent:
            create = _postgresql_trigger if connection.vendor == "postgresql" else _sqlite_trigger
            cursor.execute(create(guard, connection))
    orphans.remove({guard.model for guard in absent})


def lift(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Drop all triggers: before the tables of this app are dropped, and on SQLite before migrations.

    Django changes a table on SQLite by renaming it. SQLite refuses that while a trigger names a missing table.
    """
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for name in _KEYS:
                cursor.execute(f"DROP FUNCTION IF EXISTS {name}() CASCADE")
        elif connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'auth\\_rbac\\_end\\_%' ESCAPE '\\'")  # fmt: skip
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {connection.ops.quote_name(name)}")


def missing(alias: str = DEFAULT_DB_ALIAS) -> list[_Guard]:
    """Return the missing and outdated triggers. There are none on other databases, and before the first migration."""
    if not can_guard(alias):
        return []
    connection = connections[alias]
    tables = _tables(connection)
    with connection.cursor() as cursor:
        guards = [guard for guard in _guards(connection.vendor) if guard.table in tables]
        if connection.vendor == "postgresql":
            functions, installed = _functions(), installed_triggers(alias)
            return [
                each
                for each in guards
                if InstalledTrigger(each.table, each.name, functions[_FIRES[each.operation][1]]) not in installed
            ]
        cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'")
        statements = {sql for (sql,) in cursor.fetchall()}
        return [each for each in guards if _sqlite_trigger(each, connection) not in statements]


def can_guard(alias: str = DEFAULT_DB_ALIAS) -> bool:
    """Tell whether this database supports the triggers and has the tables of rights."""
    connection = connections[alias]
    if connection.vendor not in ("postgresql", "sqlite"):
        return False
    needed = {ContentType._meta.db_table, GraphVersion._meta.db_table, *(table for table, _kind, _key in _rights())}
    return needed <= _tables(connection)


def guarded_models() -> Iterator[type[models.Model]]:
    """Yield every model whose table can have triggers: managed by Django, and with a single-column key."""
    for model in apps.get_models():
        can_have_rights = model._meta.managed and not model._meta.proxy and not issubclass(model, _NO_OBJECTS)
        if can_have_rights and getattr(model._meta.pk, "column", None):
            yield model


def out_of_reach(alias: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Return the kinds of objects that have rights and whose tables cannot have triggers, as ``app.model``."""
    tables = _tables(connections[alias])
    guarded: set[Any] = {model for model in guarded_models() if model._meta.db_table in tables}
    kinds = {kind for rights in orphans.all_rights() for kind in rights.kinds()}
    models_with_rights = {ContentType.objects.get_for_id(kind).model_class() for kind in kinds}
    return sorted(model._meta.label_lower for model in models_with_rights - guarded if model is not None)


def _guards(vendor: str) -> Iterator[_Guard]:
    for model in guarded_models():
        for operation in _FIRES:
            if vendor == "postgresql" or operation != "TRUNCATE":
                yield _Guard(model, operation)


def _tables(connection: "BaseDatabaseWrapper") -> set[str]:
    """Return the tables that can have triggers."""
    ordinary = {"postgresql": _ORDINARY, "sqlite": _ORDINARY_SQLITE}.get(connection.vendor)
    if ordinary is None:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(ordinary)
        return {name for (name,) in cursor.fetchall()}


def _rights() -> list[tuple[str, str, str]]:
    """Return the tables of rights, with the columns of the object's content type and key."""
    return [(each.model._meta.db_table, each.kind, each.key) for each in orphans.all_rights()]


def _functions() -> dict[str, str]:
    """Return the bodies of the trigger functions on PostgreSQL."""
    return {name: _function(keys, uses_row="$2" in keys) for name, keys in _KEYS.items()}


def _function(keys: str, *, uses_row: bool) -> str:
    values = "kind, OLD" if uses_row else "kind"
    deletes = [
        f'DELETE FROM "{table}" WHERE {of} = $1{keys.format(key=key)}'  # noqa: S608 - names of ours and of guardian
        for table, of, key in _rights()
    ]
    executed = "\n".join(f"    EXECUTE format('{delete}', TG_ARGV[2]) USING {values};" for delete in deletes)
    return f"""
DECLARE kind integer;
BEGIN
  SELECT id INTO kind FROM "{ContentType._meta.db_table}" WHERE app_label = TG_ARGV[0] AND model = TG_ARGV[1];
  IF kind IS NOT NULL THEN
{executed}
  END IF;
  RETURN NULL;
END
"""  # noqa: S608 - as above


def _postgresql_trigger(guard: _Guard, connection: "BaseDatabaseWrapper") -> str:
    fires, function = _FIRES[guard.operation]
    quote, meta = connection.ops.quote_name, guard.model._meta
    when = fires.format(table=quote(guard.table), key=quote(str(meta.pk.column)))
    arguments = ", ".join(f"'{each}'" for each in (meta.app_label, meta.model_name, meta.pk.column))
    return f"CREATE OR REPLACE TRIGGER {guard.name} {when} EXECUTE FUNCTION {function}({arguments})"


def _sqlite_trigger(guard: _Guard, connection: "BaseDatabaseWrapper") -> str:
    """Return the statement that creates a trigger on SQLite, which has only triggers for each row.

    The trigger also changes the version of the graph. On PostgreSQL the triggers on the tables of rights do that.
    """
    quote, meta = connection.ops.quote_name, guard.model._meta
    column, table = quote(str(meta.pk.column)), quote(guard.table)
    kind = (
        f'(SELECT id FROM "{ContentType._meta.db_table}"'  # noqa: S608 - names of models
        f" WHERE app_label = '{meta.app_label}' AND model = '{meta.model_name}')"
    )
    conditions = [
        (name, f"{of} = {kind} AND {key} = {_as_text(meta.pk, f'OLD.{column}')}") for name, of, key in _rights()
    ]
    has_rights = " OR ".join(f'EXISTS (SELECT 1 FROM "{name}" WHERE {condition})' for name, condition in conditions)  # noqa: S608 - as above
    touch = f'INSERT OR REPLACE INTO "{GraphVersion._meta.db_table}" (slot, stamp) SELECT 1, lower(hex(randomblob(16)))'
    deletes = " ".join(f'DELETE FROM "{name}" WHERE {condition};' for name, condition in conditions)  # noqa: S608 - as above
    fires = f"UPDATE OF {column}" if guard.operation == "UPDATE" else guard.operation
    moved = f" WHEN OLD.{column} IS NOT NEW.{column}" if guard.operation == "UPDATE" else ""
    name = quote(f"{guard.name}_{guard.table}")
    return f"CREATE TRIGGER {name} AFTER {fires} ON {table}{moved} BEGIN {touch} WHERE {has_rights}; {deletes} END"


def _as_text(key: Any, column: str) -> str:
    """Return the SQL expression of a key as text, with the dashes of a UUID. SQLite stores it without them."""
    while key.remote_field:
        key = key.target_field
    if not isinstance(key, models.UUIDField):
        return f"CAST({column} AS TEXT)"
    parts = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)]
    return " || '-' || ".join(f"substr({column}, {first}, {length})" for first, length in parts)
