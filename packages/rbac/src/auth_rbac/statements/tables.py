# ruff: noqa: S608 - the statements are put together from names of our models and of parameters, never from values
"""The names of tables and columns in the statements of decisions, and the parts that differ between databases."""

import re
from functools import lru_cache
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections, models, router
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from auth_rbac.models import Assignment, GraphVersion, PersonVersion, Role, RoleClosure, ServiceVersion, Wildcard


class Source(NamedTuple):
    """A table of guardian for one model: the generic one, or the model's own."""

    table: str
    key: str
    is_generic: bool


def source_of(model: type[models.Model], *, of_groups: bool) -> Source:
    """Return the table in which guardian keeps the permissions for objects of *model*."""
    table: Any = (get_group_obj_perms_model if of_groups else get_user_obj_perms_model)(model)  # type: ignore[arg-type]  # a class will do
    is_generic = table.objects.is_generic()
    key = "object_pk" if is_generic else table._meta.get_field("content_object").column
    return Source(quoted(table._meta.db_table), quoted(key), is_generic)


def positional(statement: str, values: dict[str, Any]) -> tuple[str, list[Any]]:
    """Return *statement* with ``%s`` for every named value, and the values in that order."""
    text, value_names = _by_position(statement)
    return text, [values[name] for name in value_names]


#: A named value in a statement of this module. It reads no text from outside, so it has no bound.
_NAMED_VALUE = re.compile(r"%\((\w+)\)s")


@lru_cache(maxsize=256)
def _by_position(statement: str) -> tuple[str, tuple[str, ...]]:
    return _NAMED_VALUE.sub("%s", statement), tuple(_NAMED_VALUE.findall(statement))


def has_arrays() -> bool:
    """Tell whether a list is one array parameter, as on PostgreSQL. If not, it is JSON (`parameters.listed`)."""
    return connections[router.db_for_write(Assignment)].vendor == "postgresql"


def among(column: str, name: str) -> str:
    """Return the condition that a column has one of the values of a list. The list is one parameter of any length."""
    if has_arrays():
        return f"{column} = ANY(%({name})s)"
    return f"{column} IN (SELECT value FROM json_each(%({name})s))"


def each(name: str) -> str:
    """Return the rows ``v`` of a list of texts, with a column ``value``."""
    return f"unnest(CAST(%({name})s AS text[])) AS v (value)" if has_arrays() else f"json_each(%({name})s) AS v"


def as_json(column: str) -> str:
    """Return the aggregate of a column of texts: a JSON array as text. A page of keys is then one row."""
    return f"COALESCE(CAST(json_agg({column}) AS varchar), '[]')" if has_arrays() else f"json_group_array({column})"


@lru_cache(maxsize=1)
def names() -> dict[str, str]:
    """Return the names of tables and columns by their placeholders."""
    tables: dict[str, Any] = {
        "assignment": Assignment,
        "closure": RoleClosure,
        "graph_version": GraphVersion,
        "group_permission": Group.permissions.through,
        "kind": ContentType,
        "permission": Permission,
        "person_version": PersonVersion,
        "role_denial": Role.denials.through,
        "role_permission": Role.permissions.through,
        "service_version": ServiceVersion,
        "wildcard": Wildcard,
    }
    user = get_user_model()
    columns: dict[str, str] = {}
    for field, table, column in (
        ("groups", "membership", "member"),
        ("user_permissions", "user_permission", "permitted"),
    ):
        if through := getattr(getattr(user, field, None), "through", None):
            tables[table] = through
            columns[column] = quoted(next(f.column for f in through._meta.fields if f.related_model is user))
    tables["user"], columns["user_key"] = user, quoted(str(user._meta.pk.column))
    if "is_superuser" in {f.name for f in user._meta.concrete_fields}:
        columns["superuser"] = quoted(str(user._meta.get_field("is_superuser").column))
    return {**{name: quoted(model._meta.db_table) for name, model in tables.items()}, **columns}


def quoted(name: str) -> str:
    """Return a name, quoted as PostgreSQL and SQLite quote it."""
    return '"{}"'.format(name.replace('"', '""'))
