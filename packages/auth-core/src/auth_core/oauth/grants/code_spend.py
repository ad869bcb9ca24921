"""The spend of a code, which reads the authorization in the same statement on PostgreSQL.

Of two uses at once the row's lock lets one through. For the other no row matches any more.
"""

from functools import cache
from typing import Any

from django.db import connections
from django.utils import timezone

from auth_core.crypto.secrets import spend
from auth_core.oauth.clients.versions import version_sql
from auth_core.oauth.models import Authorization
from auth_core.oauth.tokens.joined_rows import authorization_of, can_join, columns_sql, user_key_sql, user_sql
from auth_core.runtime import prepared_statements


def spend_code(column: str, digest: str, *, application_pk: Any, version: str = "") -> Authorization | None:
    """Spend the code with *digest*, and return its authorization with the user. Outside of a transaction it is committed.

    Args:
        column: The column with the digests of codes of its kind.
        digest: Of the code that the client sent.
        application_pk: The application that it must be of.
        version: What the application must still be. Empty: it has just been read.

    Returns:
        ``None``: the code is unknown, spent or of another application, or the application has changed. Nothing was changed.
    """
    moment = timezone.now()
    alias = Authorization.objects.db
    if can_join(alias):
        values = {"digest": digest, "application": application_pk, "now": moment, "version": version}
        rows = prepared_statements.put(connections[alias], _statement(alias, column), values, uses_before=1)
        return authorization_of(rows[0], alias) if rows else None
    unspent = Authorization.objects.filter(**{column: digest}, application=application_pk, code_spent_at=None)
    # Read before the spend, which decides. Read after it, the row could have been ended by a replay, and none would win.
    row = unspent.select_related("user__auth_identity").first()
    return row if row is not None and spend(unspent.filter(pk=row.pk), code_spent_at=moment) else None


@cache
def _statement(alias: str, column: str) -> str:
    return _STATEMENT.format(
        column=connections[alias].ops.quote_name(column),
        authorization=connections[alias].ops.quote_name(Authorization._meta.db_table),
        user=user_sql(alias),
        key=user_key_sql(alias),
        columns=columns_sql(alias),
        version=version_sql("a.application_id"),
    )


_STATEMENT = """UPDATE {authorization} AS a SET code_spent_at = %(now)s
FROM {user}
WHERE a.{column} = %(digest)s AND a.application_id = %(application)s AND a.code_spent_at IS NULL AND {key} = a.user_id
  AND (%(version)s = '' OR %(version)s = ({version}))
RETURNING {columns}"""
