"""The PostgreSQL and the Redis servers of a benchmark. PostgreSQL writes durably and counts statements."""

import secrets
from typing import Any

import psycopg

from auth_core.testing.postgresql import OwnPostgreSQL
from auth_core.testing.redis import OwnRedis

#: Unlike in a test, every commit reaches the disk.
_OPTIONS = (
    "shared_preload_libraries=pg_stat_statements", "pg_stat_statements.max=5000", "max_connections=200",
    "shared_buffers=512MB", "max_wal_size=4GB", "log_min_messages=fatal", "autovacuum_naptime=600",
)  # fmt: skip

_COUNTS = (
    "SELECT coalesce((SELECT sum(s.calls) FROM pg_stat_statements s JOIN pg_database b ON b.oid = s.dbid"
    " WHERE b.datname = %(name)s), 0), (SELECT xact_commit FROM pg_stat_database WHERE datname = %(name)s)"
)


class BenchPostgreSQL(OwnPostgreSQL):
    """A cluster of its own, with a database for each cell."""

    options = _OPTIONS

    def start(self) -> None:
        """Start the server, and create the extension that counts statements."""
        super().start()
        self.administer("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        self._counter = psycopg.connect(dbname="postgres", **self.address, autocommit=True)

    @property
    def address(self) -> dict[str, Any]:
        """The parameters of a connection, without the name of the database."""
        return {"host": "127.0.0.1", "port": self.port, "user": "postgres"}

    def create(self, name: str) -> str:
        """Create a database with a new name that begins with *name*, and return its name."""
        unique = f"{name}_{secrets.token_hex(3)}"
        self.administer(f'CREATE DATABASE "{unique}"')
        return unique

    def administer(self, statement: str, database: str = "postgres") -> None:
        """Execute a statement outside a transaction."""
        with psycopg.connect(dbname=database, **self.address, autocommit=True) as server:
            server.execute(statement)  # type: ignore[arg-type]  # from this package

    def counts(self, database: str) -> tuple[int, int]:
        """Return the number of statements and of commits in a database so far."""
        statements, commits = self._counter.execute(_COUNTS, {"name": database}).fetchone() or (0, 0)
        return int(statements), int(commits)


class BenchRedis(OwnRedis):
    """A Redis without a disk."""

    @property
    def path(self) -> str:
        """The path of its socket."""
        return self.url.removeprefix("unix://")

    def reads(self) -> int:
        """Return how often the server has read from its clients so far: one read is one round trip."""
        return int(self.client.info("stats")["total_reads_processed"])
