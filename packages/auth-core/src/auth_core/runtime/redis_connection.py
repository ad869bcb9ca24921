"""Connections to Redis, one for each thread.

A client of redis-py takes a connection from a pool for each command, checks it, and returns it. That costs more than the
command. A thread of ours keeps its connection, so a command is one write and one read.
"""

import hashlib
import threading
from typing import Any

from auth_core.runtime.redis_urls import pool_of

try:
    import redis
except ImportError:  # pragma: no cover - the extra is not installed, and REDIS_URL is empty
    redis = None  # type: ignore[assignment]  # only used with a URL

#: The line of ``INFO`` with the run id of the server.
_RUN_ID = b"run_id:"


class Script:
    """A Lua script, which Redis knows by its SHA-1."""

    def __init__(self, source: str) -> None:
        self.source = source.encode()
        self.sha = hashlib.sha1(self.source, usedforsecurity=False).hexdigest()


class ThreadConnections:
    """The connections of this process to one Redis.

    Args:
        url: See `auth_core.runtime.redis_urls`.
        timeout: For a connection, and for each answer, in seconds.
    """

    def __init__(self, url: str, *, timeout: float) -> None:
        # Only its options are used. A connection of the pool would stay in its books after the thread has ended.
        self._pool = pool_of(
            url,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            health_check_interval=0,
            retry=None,
            redis_connect_func=_connect,
        )
        # Only a connection that asks Sentinel may lead to another server than the last one.
        self._may_move = hasattr(self._pool, "sentinel_manager")
        self._of_thread = threading.local()
        #: The run id of the server that answered any thread last.
        self.last_run = ""

    @property
    def run_here(self) -> str:
        """The run id of the server that answered this thread last. Empty before the first answer."""
        return getattr(self._of_thread, "run", "")

    def execute(self, *command: Any) -> Any:
        """Return the answer to *command*, as bytes. Every command must be harmless to repeat.

        Raises:
            RedisError: no answer, or an error of the server.
        """
        connection = getattr(self._of_thread, "connection", None)
        if connection is None or (self._may_move and connection.auth_core_run != self.last_run):
            return self._execute_on(self._open(), command)
        try:
            return self._execute_on(connection, command)
        except redis.ConnectionError:
            # The server closed the connection while the thread did not use it, as in a restart.
            return self._execute_on(self._open(), command)

    def run_script(self, script: Script, *, keys: list[str], args: list[Any]) -> Any:
        """Return the answer of *script*.

        Raises:
            RedisError: see `execute`.
        """
        try:
            return self.execute("EVALSHA", script.sha, len(keys), *keys, *args)
        except redis.exceptions.NoScriptError:
            return self.execute("EVAL", script.source, len(keys), *keys, *args)

    def _open(self) -> Any:
        """Connect this thread, in place of an earlier connection."""
        self._of_thread.connection = None
        connection = self._pool.connection_class(**self._pool.connection_kwargs)
        connection.connect()
        self._of_thread.connection = connection
        return connection

    def _execute_on(self, connection: Any, command: tuple[Any, ...]) -> Any:
        is_answered = False
        try:
            connection.send_packed_command(connection.pack_command(*command), check_health=False)
            answer = connection.read_response(disable_decoding=True, disconnect_on_error=True)
            is_answered = True
        except redis.ResponseError:
            is_answered = True
            raise
        finally:
            # After any exception here, the next command must not read the answer to this one.
            if not is_answered:
                self._of_thread.connection = None
                connection.disconnect()
        self._of_thread.run = self.last_run = connection.auth_core_run
        return answer


def _connect(connection: Any) -> None:
    """Set up a connection and store the run id of its server."""
    connection.on_connect()
    connection.send_command("INFO", "server")
    info = connection.read_response(disable_decoding=True)
    runs = (line for line in bytes(info).splitlines() if line.startswith(_RUN_ID))
    connection.auth_core_run = next(runs, _RUN_ID).removeprefix(_RUN_ID).decode("ascii", "replace")
