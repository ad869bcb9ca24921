"""What a block costs: statements, entries of the trail, round trips to the shared cache."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection
from django.test.utils import CaptureQueriesContext

from auth_core.conf import core
from auth_core.runtime.redis_cache import SharedCache, shared_cache
from auth_core.testing.gaps import changed_table
from auth_core.testing.tables import TRAIL

_OF_TRANSACTIONS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET CONSTRAINTS")


@dataclass
class Counts:
    """What was asked; filled when the block is over.

    Args:
        statements: What was asked of the database, without what only begins and ends transactions.
        entries: The statements that added to the trail; they are not among the others.
        round_trips: Commands to the shared cache.
    """

    statements: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    round_trips: int = 0

    @property
    def queries(self) -> int:
        """How many statements, the trail's not among them."""
        return len(self.statements)


@contextmanager
def counted(*caches: SharedCache | None) -> Iterator[Counts]:
    """Count what the block asks of this thread's database and of the shared cache.

    Args:
        caches: Whose round trips; left out, those of the one that ``AUTH_CORE["REDIS_URL"]`` names.
    """
    asked = [cache for cache in caches or (shared_cache(core.REDIS_URL),) if cache is not None]
    before = sum(cache.round_trips for cache in asked)
    counts = Counts()
    with CaptureQueriesContext(connection) as queries:
        yield counts
    statements = [query["sql"] for query in queries.captured_queries]
    statements = [sql for sql in statements if not sql.startswith(_OF_TRANSACTIONS)]
    counts.entries = [sql for sql in statements if changed_table(sql) in TRAIL]
    counts.statements = [sql for sql in statements if changed_table(sql) not in TRAIL]
    counts.round_trips = sum(cache.round_trips for cache in asked) - before
