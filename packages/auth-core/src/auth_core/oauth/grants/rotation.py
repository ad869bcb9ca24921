"""The rotation of a refresh token: use it up and write its successor, in one statement on PostgreSQL.

Of two uses at once the row's lock lets one through. For the other no row matches any more.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connections
from django.utils import timezone

from auth_core.crypto.secrets import digest as digest_of
from auth_core.crypto.secrets import spend
from auth_core.ids import uuid7
from auth_core.oauth.clients.versions import version_sql
from auth_core.oauth.conf import oauth
from auth_core.oauth.models import Authorization, RefreshToken
from auth_core.oauth.tokens.joined_rows import authorization_of, can_join, columns_sql, user_key_sql, user_sql
from auth_core.runtime import prepared_statements


def rotate(
    digest: str, *, application_pk: Any, successor: str, version: str = "", thumbprint: str | None = None
) -> Authorization | None:
    """Use the token with *digest* up, and write *successor* in its place. Return its authorization, with the user.

    Call this inside a transaction.

    Args:
        digest: Of the token that the client sent.
        application_pk: The application that it must be of.
        successor: The new token.
        version: What the application must still be. Empty: it has just been read.
        thumbprint: Of the key that the request proved. An authorization that is bound to another key does not match.
            ``None``: no authorization of the application is bound to a key.

    Returns:
        ``None``: the token is unknown, used, expired, of another application or bound to another key, its authorization has
        ended, or the application has changed.
    """
    moment = timezone.now()
    alias = RefreshToken.objects.db
    if can_join(alias):
        values = {"digest": digest, "application": application_pk, "successor": successor, "version": version}
        values["thumbprint"] = thumbprint
        return _rotate_at_once(alias, values, moment)
    unused = RefreshToken.objects.filter(
        digest=digest,
        used_at=None,
        expires_at__gt=moment,
        authorization__application=application_pk,
        authorization__ended_at=None,
        authorization__expires_at__gt=moment,
    )
    if thumbprint is not None:
        unused = unused.filter(authorization__dpop_jkt__in=["", thumbprint])
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
    parameters = {
        **values,
        "successor": digest_of(values["successor"]),
        "id": uuid7(),
        "now": moment,
        "idle": moment + oauth.REFRESH_TOKEN_IDLE_LIFETIME,
    }
    rows = prepared_statements.put(connections[alias], _statement(alias), parameters, uses_before=1)
    return authorization_of(rows[0], alias) if rows else None


@cache
def _statement(alias: str) -> str:
    quote: Callable[[Any], str] = connections[alias].ops.quote_name
    return _STATEMENT.format(
        refresh=quote(RefreshToken._meta.db_table),
        authorization=quote(Authorization._meta.db_table),
        user=user_sql(alias),
        key=user_key_sql(alias),
        columns=columns_sql(alias),
        version=version_sql("a.application_id"),
    )


_STATEMENT = """WITH spent AS (
  UPDATE {refresh} AS r SET used_at = %(now)s
  FROM {authorization} AS a
  WHERE r.digest = %(digest)s AND r.used_at IS NULL AND r.expires_at > %(now)s
    AND a.id = r.authorization_id AND a.application_id = %(application)s AND a.ended_at IS NULL AND a.expires_at > %(now)s
    AND (%(version)s = '' OR %(version)s = ({version}))
    AND (CAST(%(thumbprint)s AS text) IS NULL OR a.dpop_jkt IN ('', %(thumbprint)s))
  RETURNING r.authorization_id, a.expires_at
), successor AS (
  INSERT INTO {refresh} (id, digest, authorization_id, created_at, expires_at, used_at)
  SELECT CAST(%(id)s AS uuid), %(successor)s, spent.authorization_id, %(now)s,
    LEAST(spent.expires_at, %(idle)s), CAST(NULL AS timestamptz)
  FROM spent
)
SELECT {columns} FROM spent
JOIN {authorization} AS a ON a.id = spent.authorization_id
JOIN ({user}) ON {key} = a.user_id"""
