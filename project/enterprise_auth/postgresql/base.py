"""The connection pool of a process, without a statement that checks the connection before each use."""

import select
import time
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool

#: How long a connection is used without an empty statement. It finds one whose server vanished without a word.
_TRUST = timedelta(seconds=5)

#: When each connection passed a check last, in seconds of the monotonic clock.
_checked_at: "WeakKeyDictionary[Any, float]" = WeakKeyDictionary()


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to PostgreSQL."""

    @property
    def pool(self) -> Any:
        """The pool of this alias, or ``None``. With ``CONN_HEALTH_CHECKS`` it checks connections with `check_connection`."""
        pool = super().pool
        # Django passes the check itself, and has no setting for another one.
        if pool is not None and pool._check is ConnectionPool.check_connection:  # noqa: SLF001 - as above
            pool._check = check_connection  # noqa: SLF001 - as above
        return pool


def check_connection(connection: Any) -> None:
    """Check a connection of the pool. The pool replaces one that fails.

    A server that ends a connection, as in a restart, says so, and an idle connection has nothing else to read. So most
    checks need no round trip.

    Raises:
        OperationalError: the connection is lost.
    """
    checked_at = _checked_at.get(connection)
    if checked_at is not None and time.monotonic() - checked_at < _TRUST.total_seconds() and not _has_input(connection):
        return
    ConnectionPool.check_connection(connection)
    _checked_at[connection] = time.monotonic()


def _has_input(connection: Any) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
