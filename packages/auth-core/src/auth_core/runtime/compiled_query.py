"""Queries of the ORM that are compiled once, for a hot path on PostgreSQL.

For a statement with several parts, the ORM takes longer to write the SQL than PostgreSQL takes to answer. The text is
the same each time and only the parameters differ. So it is compiled once with marks in their place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connections
from django.db.models import QuerySet

from auth_core.runtime import prepared_statements

#: Two marks for each text. They have letters of both cases, a full-width letter and outer spaces, so that a field that
#: changes texts changes them. Then the query is not compiled: the texts would have to be changed in the same way.
_MARKS = (" Mark \uff21 {name} ", " Mark \uff22 {name} ")


_NO_EXAMPLES: Mapping[str, tuple[Any, Any]] = {}


@dataclass(frozen=True, slots=True)
class CompiledQuery:
    """The SQL of a query, and how to read its rows.

    Args:
        alias: The database.
        sql: The statement, with ``%s`` for each parameter.
        parameters: The name of each parameter that changes, or its value in a tuple with one member.
        converters: The ORM's converters, by the position of the column.
    """

    alias: str
    sql: str
    parameters: Sequence[str | tuple[Any]]
    converters: Mapping[int, tuple[Sequence[Callable[..., Any]], Any]]

    def fetch(self, values: Mapping[str, Any]) -> list[list[Any]]:
        """Execute the statement, prepared if possible, and return its rows.

        Raises:
            DatabaseError: as in Django.
        """
        connection: Any = connections[self.alias]
        parameters = [values[name] if isinstance(name, str) else name[0] for name in self.parameters]
        rows = prepared_statements.put(connection, self.sql, parameters, uses_before=1)
        return [self._converted(list(row), connection) for row in rows]

    def _converted(self, row: list[Any], connection: Any) -> list[Any]:
        for position, (converters, expression) in self.converters.items():
            for convert in converters:
                row[position] = convert(row[position], expression, connection)
        return row


def compile_query(
    make: Callable[[Mapping[str, Any]], "QuerySet[Any]"],
    names: Sequence[str],
    *,
    examples: Mapping[str, tuple[Any, Any]] = _NO_EXAMPLES,
) -> CompiledQuery | None:
    """Compile the query that *make* returns for texts by these *names*, and for values of *examples*.

    *make* must return the same query for all values. It is called with marks, twice. What differs and is not a mark
    depends on a value in a way that only the field knows.

    Args:
        names: The names of texts.
        examples: Names of other values, such as UUIDs, each with two unlikely values that psycopg takes as they are.

    Returns:
        ``None``: the query cannot be compiled for all texts, because a field does not take the marks as they are, or
        because the database is not PostgreSQL.
    """
    try:
        (compiler, sql, parameters), second = (
            _compiled(make, _marks(names, examples, number)) for number in range(len(_MARKS))
        )
    except (TypeError, ValueError, ValidationError):
        return None
    if compiler.connection.vendor != "postgresql" or (sql, parameters) != second[1:]:
        return None
    expressions = [expression for expression, _sql, _alias in compiler.select]
    return CompiledQuery(compiler.using, sql, parameters, compiler.get_converters(expressions))


def _marks(names: Sequence[str], examples: Mapping[str, tuple[Any, Any]], number: int) -> dict[str, Any]:
    texts = {name: _MARKS[number].format(name=name) for name in names}
    return {**texts, **{name: values[number] for name, values in examples.items()}}


def _compiled(
    make: Callable[[Mapping[str, Any]], "QuerySet[Any]"], marks: Mapping[str, Any]
) -> tuple[Any, str, list[str | tuple[Any]]]:
    """Return the compiler, the SQL, and the parameters with the name in place of its mark."""
    names_of = {mark: name for name, mark in marks.items()}
    kinds = {type(mark) for mark in marks.values()}
    queryset = make(marks)
    compiler = queryset.query.get_compiler(using=queryset.db)
    sql, values = compiler.as_sql()
    return compiler, sql, [names_of.get(value, (value,)) if type(value) in kinds else (value,) for value in values]
