"""The index by which an address is found in the site's user table, in any case.

Django's ``User.email`` has no index, and others compare with case. Without an index, each anonymous request with an
address would read the whole table. The package therefore adds an index to the table, and an address is looked up in a
column only if the column has it, or if the table is small (decision record 0042).
"""

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import DatabaseError, connections, router, transaction
from django.db.backends.utils import names_digest
from django.db.models import BooleanField, Field, Func, TextField

from auth_core.people.user_columns import address_fields, stores_address_keys

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger("auth_core.people")

#: A table of at most this size is read without an index, in some 20 ms. About 100,000 rows of Django's user table.
SMALL_TABLE = 16 * 1024 * 1024  # bytes


class AsciiLower(Func):
    """The text with its ASCII letters in lower case, in any locale of the database."""

    function = "LOWER"
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: "BaseDatabaseWrapper", **context: Any) -> Any:
        """Compare in the collation "C". Others change further letters, and glibc changes their order."""
        return self.as_sql(compiler, connection, template='%(function)s(%(expressions)s COLLATE "C")', **context)


class IsServed(Func):
    """Whether an index serves the column *field*, or its table is small. PostgreSQL evaluates it once per statement."""

    output_field = BooleanField()
    conditional = True
    template = (
        "(SELECT pg_catalog.pg_relation_size(pg_catalog.to_regclass('%(table)s')) <= %(small)s OR EXISTS (SELECT 1 FROM"
        " pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass('%(index)s') AND indisvalid))"
    )

    def __init__(self, field: "Field[Any, Any]") -> None:
        super().__init__(index=index_name(field), small=SMALL_TABLE)

    def as_postgresql(self, compiler: Any, connection: "BaseDatabaseWrapper", **context: Any) -> Any:
        """Write the name of the table as a literal."""
        table = connection.ops.quote_name(_table()).replace("'", "''").replace("%", "%%")
        return self.as_sql(compiler, connection, table=table, **context)


def indexed_fields() -> "Sequence[Field[Any, Any]]":
    """Return the address fields that need the index. Ours needs none, because it stores keys."""
    return () if stores_address_keys() else address_fields()


def gate(field: "Field[Any, Any]", alias: str) -> list[Func]:
    """Return the conditions under which the column *field* may be searched. SQLite has none."""
    return [IsServed(field)] if connections[alias].vendor == "postgresql" else []


def index_name(field: "Field[Any, Any]") -> str:
    """Return the name of the index. At most 63 characters, which PostgreSQL does not cut off."""
    return f"auth_core_address_{names_digest(_table(), str(field.column), length=8)}"


def fields_without_index(alias: str) -> "list[Field[Any, Any]]":
    """Return the fields whose index does not exist or is not valid."""
    return [field for field in indexed_fields() if not _is_valid(field, alias)]


def create_index(field: "Field[Any, Any]", alias: str) -> None:
    """Create the index while the site runs: on PostgreSQL writers do not wait. An invalid rest is dropped first.

    Raises:
        DatabaseError: the role does not own the table.
    """
    connection = connections[alias]
    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {'CONCURRENTLY ' if is_postgresql else ''}IF EXISTS {index_name(field)}")
        cursor.execute(creation_sql(field, alias, concurrently=is_postgresql))
        if is_postgresql:
            # Without statistics of the expression, the planner expects many rows for an address.
            cursor.execute(f"ANALYZE {connection.ops.quote_name(_table())}")


def creation_sql(field: "Field[Any, Any]", alias: str, *, concurrently: bool) -> str:
    """Return the statement that creates the index."""
    quote = connections[alias].ops.quote_name
    collation = ' COLLATE "C"' if connections[alias].vendor == "postgresql" else ""
    when = "CONCURRENTLY IF NOT EXISTS" if concurrently else "IF NOT EXISTS"
    return (
        f"CREATE INDEX {when} {index_name(field)} ON {quote(_table())} (LOWER({quote(str(field.column))}{collation}))"
    )


def update_indexes(alias: str) -> None:
    """Create the missing indexes of a small table, after ``migrate``. Drop them when this app is removed.

    `create_index` serves large tables. A table of another owner stays as it is, and the check ``auth_core.W005`` says so.
    """
    if not indexed_fields() or not router.allow_migrate_model(alias, get_user_model()):
        return
    tables = set(connections[alias].introspection.table_names())
    is_removed = "auth_core_emailaddress" not in tables
    if _table() not in tables or not (is_removed or is_small(alias)):
        return
    for statement in _statements(alias, is_removed=is_removed):
        try:
            with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
                cursor.execute(statement)
        except DatabaseError as problem:
            logger.warning("auth_core could not change the index of the user table: %s", type(problem).__name__)


def is_small(alias: str) -> bool:
    """Return whether the user table may be searched without an index."""
    if connections[alias].vendor != "postgresql":
        return True
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(to_regclass(%s))", [connections[alias].ops.quote_name(_table())])
        (size,) = cursor.fetchone()
    return size is None or size <= SMALL_TABLE


def _statements(alias: str, *, is_removed: bool) -> Iterator[str]:
    if is_removed:
        yield from (f"DROP INDEX IF EXISTS {index_name(field)}" for field in indexed_fields())
    else:
        yield from (creation_sql(field, alias, concurrently=False) for field in fields_without_index(alias))


def _is_valid(field: "Field[Any, Any]", alias: str) -> bool:
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sql = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND indisvalid"
        else:
            sql = "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = %s"
        cursor.execute(sql, [index_name(field)])
        return cursor.fetchone() is not None


def _table() -> str:
    table: str = get_user_model()._meta.db_table
    return table
