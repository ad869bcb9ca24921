"""The version of an application: what changes when its row, its policy or its groups change.

On PostgreSQL it is where the two rows are (``ctid``) and which transaction wrote them (``xmin``). Every way to change a row
changes it, also one that runs no code of ours. A statement that reads something else can read the version beside it, and tell
whether what a process remembers is still so.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.db import connections, router
from django.db.models import Field, TextField, Value
from django.db.models.expressions import Combinable, RawSQL
from oauth2_provider.models import get_application_model

from auth_core.oauth.models import ApplicationPolicy


def has_versions() -> bool:
    """Return whether the database of applications has versions. Without them nothing is remembered."""
    return connections[database()].vendor == "postgresql"


def database() -> str:
    """Return the database in which applications are read."""
    return router.db_for_read(get_application_model())


def version_of(application_pk: Any) -> Combinable:
    """Return the version of an application as a column of any query."""
    if not has_versions():
        return Value("", TextField())
    return RawSQL(f"({version_sql('%s')})", (application_pk,), TextField())  # noqa: S611 - it is ours


def own_version() -> Combinable:
    """Return the version as a column of a query for applications."""
    if not has_versions():
        return Value("", TextField())
    quote: Callable[[Any], str] = connections[database()].ops.quote_name
    meta = get_application_model()._meta
    key = f"{quote(meta.db_table)}.{quote(_key(meta).column)}"
    return RawSQL(f"({version_sql(key)})", (), TextField())  # noqa: S611 - the names are those of models


def version_sql(application: str) -> str:
    """Return the query for the version of the application whose primary key is the SQL *application*."""
    return _sql().format(application=application)


@cache
def current_version_sql() -> str:
    """Return the query for the version of the application whose primary key is its only parameter."""
    return version_sql("%s")


def _key(meta: Any) -> "Field[Any, Any]":
    field: Field[Any, Any] = meta.pk
    return field


@cache
def _sql() -> str:
    quote: Callable[[Any], str] = connections[database()].ops.quote_name
    meta = get_application_model()._meta
    return _STATEMENT.format(
        table=quote(meta.db_table),
        key=quote(_key(meta).column),
        policy=quote(ApplicationPolicy._meta.db_table),
        groups=quote(ApplicationPolicy.allowed_groups.through._meta.db_table),
        application="{application}",
    )


_STATEMENT = """SELECT concat_ws(' ', va.xmin, va.ctid, vp.xmin, vp.ctid,
  EXISTS (SELECT 1 FROM {groups} AS vg WHERE vg.applicationpolicy_id = vp.id))
FROM {table} AS va JOIN {policy} AS vp ON vp.application_id = va.{key} WHERE va.{key} = {application}"""
