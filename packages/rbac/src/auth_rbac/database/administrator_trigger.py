"""A trigger on the table of people: no statement leaves a site without its last superuser.

Django's ``.update()`` and ``bulk_update`` send no signal, and neither does SQL, so `auth_rbac.roles.last_administrator` does
not see them. The trigger fires for each person who stops being an active superuser. On PostgreSQL it takes the lock of the
graph, as that module does, so that of two people who disable each other at the same time the second is refused. SQLite has
one writer at a time.

The trigger knows superusers only. Who may assign roles everywhere is decided by more tables than a trigger should read.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import BooleanField

from auth_core.people.user_columns import column_named
from auth_rbac.database.trigger_catalogue import InstalledTrigger, installed_triggers
from auth_rbac.errors import LastAdministrator
from auth_rbac.models import GraphVersion
from auth_rbac.models.version import LOCK

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

#: The name of the trigger and, on PostgreSQL, of its function.
_NAME = LastAdministrator.database_rule

#: What the error of the database says. The name of the rule is what `auth_core.errors.refusal_by_database` looks for.
_MESSAGE = f"This site needs at least one administrator ({_NAME})."

#: A person who was an active superuser, and is none after the statement.
_STOPS = "OLD.{active} AND OLD.{superuser} AND (NEW.{active} AND NEW.{superuser}) IS NOT TRUE"

#: An administrator that stays.
_ONE = "SELECT 1 FROM {table} WHERE {active} AND {superuser}"

_FUNCTION = """
BEGIN
  INSERT INTO {lock_table} (slot, stamp) VALUES ({lock}, gen_random_uuid())
  ON CONFLICT (slot) DO UPDATE SET stamp = EXCLUDED.stamp;
  IF NOT EXISTS ({one}) THEN
    RAISE EXCEPTION '{message}' USING ERRCODE = 'check_violation', CONSTRAINT = '{name}';
  END IF;
  RETURN NULL;
END
"""


class _People(NamedTuple):
    """The table of people, and its columns that make a superuser."""

    table: str
    active: str
    superuser: str


def lay(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Create the trigger if it is missing or outdated."""
    if not is_missing(alias):
        return
    connection, people = connections[alias], _people()
    assert people is not None  # noqa: S101 - `is_missing` would have said no
    lift(alias)
    with connection.cursor() as cursor:
        for statement in _statements(people, connection):
            cursor.execute(statement)


def lift(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Drop the trigger: before the tables of this app are dropped, and on SQLite before migrations."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP FUNCTION IF EXISTS {_NAME}() CASCADE")
        elif connection.vendor == "sqlite":
            cursor.execute(f"DROP TRIGGER IF EXISTS {_NAME}")


def is_missing(alias: str = DEFAULT_DB_ALIAS) -> bool:
    """Tell whether the trigger is missing or outdated.

    It never is on other databases, before our tables, and for a user model without superusers.
    """
    connection, people = connections[alias], _people()
    if connection.vendor not in ("postgresql", "sqlite") or people is None:
        return False
    if not {people.table, GraphVersion._meta.db_table} <= set(connection.introspection.table_names()):
        return False
    if connection.vendor == "postgresql":
        return InstalledTrigger(people.table, _NAME, _body(people, connection)) not in installed_triggers(alias)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = %s", [_NAME])
        existing = [sql for (sql,) in cursor.fetchall()]
    return existing != _statements(people, connection)


def _people() -> _People | None:
    """Return where superusers stand. ``None`` if the model has none, or if no single table tells who is one."""
    active, superuser = column_named("is_active"), column_named("is_superuser")
    if not (isinstance(active, BooleanField) and isinstance(superuser, BooleanField)):
        return None
    tables: set[Any] = {active.model._meta.db_table, superuser.model._meta.db_table}
    if len(tables) > 1 or not superuser.model._meta.managed:
        return None
    return _People(superuser.model._meta.db_table, str(active.column), str(superuser.column))


def _statements(people: _People, connection: "BaseDatabaseWrapper") -> list[str]:
    """Return the statements that create the trigger."""
    names = _quoted(people, connection)
    fires = "AFTER UPDATE OF {active}, {superuser} ON {table}".format(**names)
    stops, one = _STOPS.format(**names), _ONE.format(**names)
    if connection.vendor == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
        return [f"CREATE TRIGGER {_NAME} {fires} WHEN {stops} AND NOT EXISTS ({one}) {refuse}"]
    return [
        f"CREATE OR REPLACE FUNCTION {_NAME}() RETURNS trigger LANGUAGE plpgsql AS $${_body(people, connection)}$$",
        f"CREATE TRIGGER {_NAME} {fires} FOR EACH ROW WHEN ({stops}) EXECUTE FUNCTION {_NAME}()",
    ]


def _body(people: _People, connection: "BaseDatabaseWrapper") -> str:
    """Return the body of the function on PostgreSQL."""
    one = _ONE.format(**_quoted(people, connection))
    return _FUNCTION.format(lock_table=GraphVersion._meta.db_table, lock=LOCK, one=one, message=_MESSAGE, name=_NAME)


def _quoted(people: _People, connection: "BaseDatabaseWrapper") -> dict[str, str]:
    return {key: connection.ops.quote_name(name) for key, name in people._asdict().items()}
