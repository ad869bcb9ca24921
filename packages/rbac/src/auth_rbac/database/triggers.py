"""Triggers on PostgreSQL that change the versions of cached decisions with every change of what they depend on.

Django's ``.update()``, ``bulk_create`` and fast deletes send no signal, and neither does SQL. A
trigger covers them all, in their own transaction. It fires for each statement, not for each row:
an INSERT of a million grants updates the version of each person once.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import DEFAULT_DB_ALIAS, connections
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from auth_rbac.database import administrator_trigger, object_triggers
from auth_rbac.database.trigger_catalogue import InstalledTrigger, installed_triggers
from auth_rbac.models import (
    Assignment,
    GraphVersion,
    PersonVersion,
    Role,
    RoleClosure,
    RoleEdge,
    ServiceVersion,
    Wildcard,
)

if TYPE_CHECKING:
    from django.db import models

_TOUCH_GRAPH = """
  INSERT INTO auth_rbac_graphversion (slot, stamp) VALUES (1, gen_random_uuid())
  ON CONFLICT (slot) DO UPDATE SET stamp = EXCLUDED.stamp;
"""

#: People are updated in the order of their keys, so that two statements about the same people do not deadlock.
_TOUCH_PEOPLE = """
  EXECUTE format('INSERT INTO auth_rbac_personversion (user_id, stamp)
    SELECT person, gen_random_uuid() FROM (
      SELECT DISTINCT %I AS person FROM {rows} WHERE %I IS NOT NULL ORDER BY 1) AS people
    ON CONFLICT (user_id) DO UPDATE SET stamp = EXCLUDED.stamp', TG_ARGV[0], TG_ARGV[0]);
"""

#: Services are updated in the order of their ids, as people are.
_TOUCH_SERVICES = """
  INSERT INTO auth_rbac_serviceversion (service_id, stamp)
    SELECT service_id, gen_random_uuid() FROM (
      SELECT DISTINCT service_id FROM {rows} WHERE service_id IS NOT NULL ORDER BY 1) AS services
    ON CONFLICT (service_id) DO UPDATE SET stamp = EXCLUDED.stamp;
"""

_IF_BY_GROUP = "  IF EXISTS (SELECT FROM {rows} WHERE group_id IS NOT NULL) THEN" + _TOUCH_GRAPH + "  END IF;\n"


def _for_both(body: str) -> str:
    return (
        "BEGIN\n"
        f" IF TG_OP IN ('UPDATE', 'DELETE') THEN {body.replace('{rows}', 'auth_rbac_gone')} END IF;\n"
        f" IF TG_OP IN ('UPDATE', 'INSERT') THEN {body.replace('{rows}', 'auth_rbac_come')} END IF;\n"
        " RETURN NULL;\nEND"
    )


_FUNCTIONS = {
    "auth_rbac_touch_graph": f"BEGIN {_TOUCH_GRAPH} RETURN NULL; END",
    "auth_rbac_touch_people": _for_both(_TOUCH_PEOPLE),
    "auth_rbac_touch_holders": _for_both(_TOUCH_PEOPLE + _TOUCH_SERVICES + _IF_BY_GROUP),
}

#: The rows that each statement passes to the function.
_ROWS = {
    "INSERT": "REFERENCING NEW TABLE AS auth_rbac_come",
    "UPDATE": "REFERENCING OLD TABLE AS auth_rbac_gone NEW TABLE AS auth_rbac_come",
    "DELETE": "REFERENCING OLD TABLE AS auth_rbac_gone",
    "TRUNCATE": "",
}


class _Watched(NamedTuple):
    """A table, the function that runs when it changes, and the column with the person."""

    table: str
    function: str
    column: str = ""


def lay(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Create every missing or outdated trigger. If there is none, no table is locked."""
    absent = missing(alias)
    if not absent:
        return
    connection = connections[alias]
    with connection.cursor() as cursor:
        for function, body in _FUNCTIONS.items():
            cursor.execute(f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
        for watched, operation in absent:
            cursor.execute(_create(watched, operation, connection.ops.quote_name(watched.table)))


def lift(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Drop all triggers and their functions, those on objects and people as well, before our tables are dropped."""
    object_triggers.lift(alias)
    administrator_trigger.lift(alias)
    connection = connections[alias]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for function in _FUNCTIONS:
                cursor.execute(f"DROP FUNCTION IF EXISTS {function}() CASCADE")


def missing(alias: str = DEFAULT_DB_ALIAS) -> list[tuple[_Watched, str]]:
    """Return the missing and outdated triggers as table and statement.

    There are none on other databases, and before our tables.
    """
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return []
    tables = set(connection.introspection.table_names())
    if not {model._meta.db_table for model in (PersonVersion, ServiceVersion, GraphVersion)} <= tables:
        return []
    installed = installed_triggers(alias)
    return [
        (watched, operation)
        for watched in _watched()
        for operation in _ROWS
        if watched.table in tables
        and InstalledTrigger(watched.table, _name(operation), _FUNCTIONS[_function(watched, operation)])
        not in installed
    ]


def _create(watched: _Watched, operation: str, table: str) -> str:
    function = _function(watched, operation)
    argument = f"'{watched.column}'" if function == watched.function else ""
    # The graph's function does not use the rows, so the statement does not collect them.
    rows = "" if function == "auth_rbac_touch_graph" else _ROWS[operation]
    return (
        f"CREATE OR REPLACE TRIGGER {_name(operation)} AFTER {operation} ON {table} {rows}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}({argument})"
    )


def _function(watched: _Watched, operation: str) -> str:
    return "auth_rbac_touch_graph" if operation == "TRUNCATE" else watched.function


def _name(operation: str) -> str:
    return f"auth_rbac_on_{operation.lower()}"


def _watched() -> Iterator[_Watched]:
    """Yield every table that decisions depend on."""
    graph: list[Any] = [Role, RoleEdge, RoleClosure, Wildcard, Permission]
    graph += [Role.permissions.through, Role.denials.through, Group.permissions.through]
    for model in graph:
        yield _Watched(model._meta.db_table, "auth_rbac_touch_graph")
    yield _Watched(Assignment._meta.db_table, "auth_rbac_touch_holders", "user_id")
    for name in ("groups", "user_permissions"):
        if through := _through(name):
            column = next(f.column for f in through._meta.fields if f.related_model is get_user_model())
            yield _Watched(through._meta.db_table, "auth_rbac_touch_people", column)
    for model in object_permission_models(UserObjectPermissionBase, get_user_obj_perms_model()):
        yield _Watched(model._meta.db_table, "auth_rbac_touch_people", "user_id")
    for model in object_permission_models(GroupObjectPermissionBase, get_group_obj_perms_model()):
        yield _Watched(model._meta.db_table, "auth_rbac_touch_graph")


def object_permission_models(base: "type[models.Model]", generic: "type[models.Model]") -> list[Any]:
    """Return guardian's generic model, and the models of tables for a single model."""
    return [generic, *(model for model in apps.get_models() if issubclass(model, base) and model is not generic)]


def _through(name: str) -> Any:
    """Return the table between people and their groups or permissions. A user model may have none."""
    return getattr(getattr(get_user_model(), name, None), "through", None)
