"""The rotation of a refresh token: use it up and write its successor, in one statement on PostgreSQL.

Of two uses at once the row's lock lets one through. For the other no row matches any more.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections
from django.db.models import Model
from django.utils import timezone

from auth_core.crypto.secrets import digest as digest_of
from auth_core.crypto.secrets import spend
from auth_core.ids import uuid7
from auth_core.models import Identity
from auth_core.oauth.clients.versions import version_sql
from auth_core.oauth.conf import oauth
from auth_core.oauth.models import Authorization, RefreshToken
from auth_core.oauth.tokens.authorization_lookup import built
from auth_core.runtime import prepared_statements


def rotate(digest: str, *, application_pk: Any, successor: str, version: str = "") -> Authorization | None:
    """Use the token with *digest* up, and write *successor* in its place. Return its authorization, with the user.

    Call this inside a transaction.

    Args:
        digest: Of the token that the client sent.
        application_pk: The application that it must be of.
        successor: The new token.
        version: What the application must still be. Empty: it has just been read.

    Returns:
        ``None``: the token is unknown, used, expired or of another application, its authorization has ended, or
        the application has changed.
    """
    moment = timezone.now()
    alias = RefreshToken.objects.db
    if connections[alias].vendor == "postgresql":
        values = {"digest": digest, "application": application_pk, "successor": successor, "version": version}
        return _rotate_at_once(alias, values, moment)
    unused = RefreshToken.objects.filter(
        digest=digest,
        used_at=None,
        expires_at__gt=moment,
        authorization__application=application_pk,
        authorization__ended_at=None,
        authorization__expires_at__gt=moment,
    )
    row = unused.select_related("authorization__user__auth_identity").first()
    if row is None or not spend(unused.filter(pk=row.pk), used_at=moment):
        return None
    RefreshToken.objects.create(
        digest=digest_of(successor),
        authorization=row.authorization,
        created_at=moment,
        expires_at=min(row.authorization.expires_at, moment + oauth.REFRESH_TOKEN_IDLE_LIFETIME),
    )
    return row.authorization


def _rotate_at_once(alias: str, values: Mapping[str, Any], moment: datetime) -> Authorization | None:
    connection: Any = connections[alias]
    parameters = {
        **values,
        "successor": digest_of(values["successor"]),
        "id": uuid7(),
        "now": moment,
        "idle": moment + oauth.REFRESH_TOKEN_IDLE_LIFETIME,
    }
    rows = prepared_statements.put(connection, _statement(alias), parameters, uses_before=1)
    return built(_converted(rows[0], connection), alias) if rows else None


def _converted(row: tuple[Any, ...], connection: Any) -> list[Any]:
    """Return a row with Python's values in place of PostgreSQL's, as the ORM does."""
    return [
        _value(value, field, connection)
        for value, field in zip(
            row, [field for model in _models() for field in model._meta.concrete_fields], strict=True
        )
    ]


def _value(value: Any, field: Any, connection: Any) -> Any:
    column = field.get_col(field.model._meta.db_table)
    for convert in (*connection.ops.get_db_converters(column), *field.get_db_converters(connection)):
        value = convert(value, column, connection)
    return value


def _models() -> tuple[type[Model], ...]:
    return (Authorization, get_user_model(), Identity)


@cache
def _statement(alias: str) -> str:
    quote: Callable[[Any], str] = connections[alias].ops.quote_name
    authorization, user, identity = _models()
    columns = [
        f"{name}.{quote(field.column)}"
        for name, model in (("a", authorization), ("u", user), ("i", identity))
        for field in model._meta.concrete_fields
    ]
    return _STATEMENT.format(
        refresh=quote(RefreshToken._meta.db_table),
        authorization=quote(authorization._meta.db_table),
        user=quote(user._meta.db_table),
        identity=quote(identity._meta.db_table),
        user_key=quote(user._meta.pk.column),
        columns=", ".join(columns),
        version=version_sql("a.application_id"),
    )


_STATEMENT = """WITH spent AS (
  UPDATE {refresh} AS r SET used_at = %(now)s
  FROM {authorization} AS a
  WHERE r.digest = %(digest)s AND r.used_at IS NULL AND r.expires_at > %(now)s
    AND a.id = r.authorization_id AND a.application_id = %(application)s AND a.ended_at IS NULL AND a.expires_at > %(now)s
    AND (%(version)s = '' OR %(version)s = ({version}))
  RETURNING r.authorization_id, a.expires_at
), successor AS (
  INSERT INTO {refresh} (id, digest, authorization_id, created_at, expires_at, used_at)
  SELECT CAST(%(id)s AS uuid), %(successor)s, spent.authorization_id, %(now)s,
    LEAST(spent.expires_at, %(idle)s), CAST(NULL AS timestamptz)
  FROM spent
)
SELECT {columns} FROM spent
JOIN {authorization} AS a ON a.id = spent.authorization_id
JOIN {user} AS u ON u.{user_key} = a.user_id
LEFT JOIN {identity} AS i ON i.user_id = u.{user_key}"""
