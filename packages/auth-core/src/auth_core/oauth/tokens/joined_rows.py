"""An authorization with its user and identity, as the columns of a statement in SQL that also writes."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections
from django.db.models import Model

from auth_core.models import Identity
from auth_core.oauth.models import Authorization
from auth_core.oauth.tokens.authorization_lookup import built


def can_join(alias: str) -> bool:
    """Return whether a statement may read and write at once: on PostgreSQL, with a user model of one table."""
    return connections[alias].vendor == "postgresql" and _is_of_one_table(get_user_model())


@cache
def _is_of_one_table(model: type[Model]) -> bool:
    return all(field.model is model for field in model._meta.concrete_fields)


@cache
def columns_sql(alias: str) -> str:
    """Return the columns of an authorization ``a``, its user ``u`` and their identity ``i``."""
    quote = _quote(alias)
    tables = zip(("a", "u", "i"), _models(), strict=True)
    return ", ".join(f"{name}.{quote(field.column)}" for name, model in tables for field in model._meta.concrete_fields)


@cache
def user_sql(alias: str) -> str:
    """Return the user ``u`` with their identity ``i``, for FROM. The condition is that of `user_key_sql`."""
    quote, user = _quote(alias), get_user_model()._meta
    identity = f"{quote(Identity._meta.db_table)} AS i ON i.user_id = {user_key_sql(alias)}"
    return f"{quote(user.db_table)} AS u LEFT JOIN {identity}"


def user_key_sql(alias: str) -> str:
    """Return the primary key of the user ``u``."""
    key: Any = get_user_model()._meta.pk
    return f"u.{_quote(alias)(key.column)}"


def authorization_of(row: Sequence[Any], alias: str) -> Authorization:
    """Return the authorization of a row of `columns_sql`, with its user, as the ORM makes them."""
    connection: Any = connections[alias]
    values = list(row)
    for position, column, converters in _converters(alias):
        for convert in converters:
            values[position] = convert(values[position], column, connection)
    return built(values, alias)


@cache
def _converters(alias: str) -> list[tuple[int, Any, list[Callable[..., Any]]]]:
    """Return the converters of the ORM for the columns that have some, by position."""
    connection: Any = connections[alias]
    found = []
    for position, field in enumerate(field for model in _models() for field in model._meta.concrete_fields):
        column: Any = field.get_col(field.model._meta.db_table)
        own: Any = field
        converters = [*connection.ops.get_db_converters(column), *own.get_db_converters(connection)]
        if converters:
            found.append((position, column, converters))
    return found


def _models() -> tuple[type[Model], ...]:
    return (Authorization, get_user_model(), Identity)


def _quote(alias: str) -> Callable[[Any], str]:
    quote: Callable[[Any], str] = connections[alias].ops.quote_name
    return quote
