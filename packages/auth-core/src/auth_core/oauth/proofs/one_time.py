"""Proofs and assertions work once. Their ids are kept in the database until their time is over.

PostgreSQL decides: of fifty inserts of one key at once, one succeeds, and the others wait for it and then do nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connections, router

from auth_core.crypto.secrets import digest
from auth_core.oauth.errors import InvalidClient, InvalidDPoPProof, OAuthError
from auth_core.oauth.models import SpentProof
from auth_core.runtime import prepared_statements

#: How much longer than its own time an id is kept, for processes whose clock is behind.
_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTime:
    """Something that works once.

    Args:
        digest: What no other has: of its kind, its owner and its id.
        ends_at: When it would be refused for its time, in Unix seconds.
        is_assertion: Whether it authenticates a client. Otherwise it is a proof.
    """

    digest: str
    ends_at: float
    is_assertion: bool

    @classmethod
    def assertion(cls, *, client_id: str, jti: str, ends_at: float) -> "OneTime":
        """Return the assertion of a client."""
        return cls(digest=digest(f"assertion\x00{client_id}\x00{jti}"), ends_at=ends_at, is_assertion=True)

    @classmethod
    def proof(cls, *, thumbprint: str, jti: str, ends_at: float) -> "OneTime":
        """Return the proof of a key."""
        return cls(digest=digest(f"dpop\x00{thumbprint}\x00{jti}"), ends_at=ends_at, is_assertion=False)


def spend_all(things: Sequence[OneTime]) -> None:
    """Spend each of *things*, by one statement. Outside of a transaction it is committed. No statement for none.

    Raises:
        InvalidClient: the assertion was used before.
        InvalidDPoPProof: the proof was used before.
    """
    if not things:
        return
    # In one order in every process, so that two requests never wait for each other.
    ordered = sorted(things, key=lambda thing: thing.digest)
    alias = router.db_for_write(SpentProof)
    values = [value for thing in ordered for value in (thing.digest, _kept_until(thing))]
    spent = {row[0] for row in prepared_statements.put(connections[alias], _statement(alias, len(ordered)), values)}
    for problem in _problems(thing for thing in things if thing.digest not in spent):
        raise problem


def _problems(replayed: Iterable[OneTime]) -> Iterable[OAuthError]:
    for thing in replayed:
        if thing.is_assertion:
            yield InvalidClient("The assertion was used before.")
        yield InvalidDPoPProof("The proof was used before.")


def _kept_until(thing: OneTime) -> Any:
    moment = datetime.fromtimestamp(thing.ends_at, tz=UTC) + _MARGIN
    return connections[router.db_for_write(SpentProof)].ops.adapt_datetimefield_value(moment)


def _statement(alias: str, count: int) -> str:
    table = connections[alias].ops.quote_name(SpentProof._meta.db_table)
    rows = ", ".join(["(%s, %s)"] * count)
    return f"INSERT INTO {table} (digest, expires_at) VALUES {rows} ON CONFLICT DO NOTHING RETURNING digest"  # noqa: S608 - the table of a model
