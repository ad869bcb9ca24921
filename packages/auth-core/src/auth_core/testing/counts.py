"""Counts of what a block costs: statements, audit entries and round trips to the shared cache."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection
from django.test.utils import CaptureQueriesContext

from auth_core.conf import core
from auth_core.runtime.redis_cache import SharedCache, shared_cache
from auth_core.testing.gaps import changed_table
from auth_core.testing.tables import TRAIL, WITH_AN_ENTRY

_TRANSACTION_COMMANDS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET CONSTRAINTS")


@dataclass
class Counts:
    """The counts of a block. They are complete when the block ends.

    Args:
        statements: SQL statements, without audit entries and commands that begin or end transactions.
        entries: The statements that added audit entries.
        round_trips: Commands to the shared cache.
    """

    statements: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    round_trips: int = 0

    @property
    def queries(self) -> int:
        """The number of statements, without audit entries."""
        return len(self.statements)


@contextmanager
def counted(*caches: SharedCache | None) -> Iterator[Counts]:
    """Count the statements of this thread and the round trips to the shared cache.

    Args:
        caches: The caches to count. Defaults to the one in ``AUTH_CORE["REDIS_URL"]``.
    """
    counted_caches = [cache for cache in caches or (shared_cache(core.REDIS_URL),) if cache is not None]
    before = sum(cache.round_trips for cache in counted_caches)
    counts = Counts()
    with CaptureQueriesContext(connection) as queries:
        yield counts
    statements = [query["sql"] for query in queries.captured_queries]
    statements = [sql for sql in statements if not sql.startswith(_TRANSACTION_COMMANDS)]
    statements = [sql for sql in statements if changed_table(sql) not in WITH_AN_ENTRY]
    counts.entries = [sql for sql in statements if changed_table(sql) in TRAIL]
    counts.statements = [sql for sql in statements if changed_table(sql) not in TRAIL]
    counts.round_trips = sum(cache.round_trips for cache in counted_caches) - before
