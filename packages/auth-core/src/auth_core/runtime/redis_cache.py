"""The shared cache: a Redis that may be lost at any moment, and that is never the truth.

This is the one module of the extra ``redis``. A value is read with a *lease* when it is
missing, and written back only under that lease: whoever reads slowly cannot put back
what was forgotten meanwhile.
"""

import logging
import os
import secrets
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from auth_core.conf import core
from auth_core.runtime import degradation
from auth_core.runtime.circuit_breaker import Breaker, BreakerOpen, State

try:
    import redis
except ImportError:  # pragma: no cover - the extra is not installed, and REDIS_URL is empty
    redis = None  # type: ignore[assignment]  # asked for below

logger = logging.getLogger("auth_core.runtime.redis_cache")

#: How long a reader may take to bring a value from the database.
_LEASE = timedelta(seconds=2)

#: Set before a nonce, so that a lease is never taken for a value.
_LEASE_MARK = b"\x00lease:"

#: How long a mark outlives the span that its value names: nobody is judged idle because it went too early.
_MARK_KEPT = timedelta(minutes=2)

# A value of another epoch is none. The mark moves forward only, and never out of a span that is over:
# whoever was idle too long is not brought back by the request that finds it out.
_LOOKUP = """
local found = redis.call('GET', KEYS[1])
local mark = KEYS[2] and redis.call('GET', KEYS[2]) or ''
if found and found:sub(1, #ARGV[5]) ~= ARGV[5] and found:sub(1, #ARGV[3]) ~= ARGV[3] then found = false end
if not found then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return {ARGV[1], mark}
end
local now, old = tonumber(ARGV[4]), tonumber(mark)
local span = now and tonumber(found:sub(#ARGV[3] + 1):match('^(%d+)|') or nil)
if span and (not old or (now > old and now - old < span)) then
  redis.call('SET', KEYS[2], ARGV[4], 'PX', span + ARGV[6])
end
return {found, mark}
"""

_FILL = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""

#: What ``INFO`` says of a server's run.
_RUN_ID = b"run_id:"


class Found(NamedTuple):
    """What one look into the cache found.

    Args:
        value: What stands there.
        lease: The right to fill it, where nothing does; neither while another reader has it.
        mark: The moment kept beside it, in Unix milliseconds, as it was before this look.
    """

    value: bytes | None
    lease: bytes | None
    mark: int | None


class Server(NamedTuple):
    """Who answers: one run of one Redis process; a restart, a failover and a replica are others."""

    run: str
    is_master: bool


class CacheLost(Exception):
    """The cache does not answer, or was given up for the moment; ask the database."""


class SharedCache:
    """One Redis, by its URL; values are bytes.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
    """

    def __init__(self, url: str) -> None:
        seconds = core.REDIS_TIMEOUT.total_seconds()
        self._answers = _Answers()
        self._redis = _client(self._answers).from_url(
            url,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            health_check_interval=0,
            retry=None,
            redis_connect_func=_connect,
        )
        self._breaker = Breaker("redis")
        self._lookup = self._redis.register_script(_LOOKUP)
        self._fill = self._redis.register_script(_FILL)
        #: The controls that work only in part without it; see `shared_cache`.
        self.serves: set[StrEnum] = set()
        #: Commands sent so far; for tests that count them.
        self.round_trips = 0

    @property
    def answered_by(self) -> str:
        """The run id of the Redis that this thread had its last answer from; empty: it had none."""
        return self._answers.here

    @property
    def last_run(self) -> str:
        """The run id of the Redis that any thread of this process had its last answer from."""
        return self._answers.last

    def server(self) -> Server:
        """Return who is there now.

        Raises:
            CacheLost: nobody is.
        """
        said = self._ask(lambda: self._redis.info("replication"))
        return Server(self.answered_by, is_master=said.get("role") == "master")

    def lookup(self, key: str, *, under: bytes = b"", mark: str = "", at: int | None = None) -> Found:
        """Return the value of *key*, or a lease to fill it; neither while another reader holds the lease.

        Args:
            under: What a value must begin with to be one, such as an epoch.
            mark: Key of a moment that is kept beside the value; empty: none is.
            at: Moves the mark to this moment, in Unix milliseconds, if the value, after *under*, begins with
                ``<span in milliseconds>|`` and the mark is not older than that.

        Raises:
            CacheLost: see there.
        """
        lease = _LEASE_MARK + secrets.token_bytes(16)
        keys = [_name(key), _name(mark)] if mark else [_name(key)]
        moved = "" if at is None or not mark else at
        given = [lease, _milliseconds(_LEASE), under, moved, _LEASE_MARK, _milliseconds(_MARK_KEPT)]
        found, marked = self._ask(lambda: self._lookup(keys=keys, args=given))
        moment = int(marked) if marked and marked.isdigit() else None
        if found == lease:
            return Found(None, lease, moment)
        return Found(None if found.startswith(_LEASE_MARK) else found, None, moment)

    def fill(self, key: str, lease: bytes, value: bytes, *, ttl: timedelta) -> bool:
        """Write *value* if *lease* still stands; say whether it did.

        `forget` takes the lease away. So a reader who looked into the database before a
        change and comes back after it writes nothing, however slow it was.

        Raises:
            CacheLost: see there.
        """
        return bool(self._ask(lambda: self._fill(keys=[_name(key)], args=[lease, value, _milliseconds(ttl)])))

    def forget(self, *keys: str) -> None:
        """Remove values and leases.

        Raises:
            CacheLost: nobody knows whether they are gone.
        """
        if keys:
            self._ask(lambda: self._redis.delete(*map(_name, keys)))

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values of *keys*, in their order.

        Raises:
            CacheLost: see there.
        """
        found: list[bytes | None] = self._ask(lambda: self._redis.mget([_name(key) for key in keys]))
        return found

    def put(self, key: str, value: bytes, *, ttl: timedelta) -> None:
        """Write *value*, whatever is there.

        Raises:
            CacheLost: see there.
        """
        self._ask(lambda: self._redis.set(_name(key), value, px=_milliseconds(ttl)))

    def ping(self) -> None:
        """Ask whether anybody is there.

        Raises:
            CacheLost: nobody is.
        """
        self._ask(self._redis.ping)

    def _ask(self, command: Callable[[], Any]) -> Any:
        self.round_trips += 1
        was_closed = self._breaker.state is State.CLOSED
        try:
            answer = self._breaker.call(command)
        except BreakerOpen as error:
            self._degrade(error)
            raise CacheLost from error
        except redis.RedisError as error:
            # Once, when the breaker opens: not for every probe of a long night.
            if was_closed and self._breaker.state is not State.CLOSED:
                logger.warning(
                    "The shared cache is lost; the database answers.", extra={"problem": type(error).__name__}
                )
            if self._breaker.state is not State.CLOSED:
                self._degrade(error)
            raise CacheLost from error
        if not was_closed and self._breaker.state is State.CLOSED:
            logger.info("The shared cache answers again.")
        for control in self.serves:
            degradation.restore(control)
        return answer

    def _degrade(self, error: Exception) -> None:
        for control in self.serves:
            degradation.degrade(control, reason=type(error).__name__)


def _connect(connection: Any) -> None:
    """Greet a server, and keep which run of it this connection leads to."""
    connection.on_connect()
    connection.send_command("INFO", "server")
    said = connection.read_response(disable_decoding=True)
    runs = (line for line in bytes(said).splitlines() if line.startswith(_RUN_ID))
    connection.auth_core_run = next(runs, _RUN_ID).removeprefix(_RUN_ID).decode("ascii", "replace")


class _Answers:
    """Which run answered: each thread's last, and the last of all."""

    def __init__(self) -> None:
        self._of_thread = threading.local()
        self.last = ""

    @property
    def here(self) -> str:
        return getattr(self._of_thread, "run", "")

    def note(self, run: str) -> None:
        self._of_thread.run = self.last = run


def _client(answers: _Answers) -> Any:
    """Return a client class that notes who answered, command by command: a pool may lead to two servers at once."""

    class Client(redis.Redis):
        def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
            answer = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]  # redis-py
            answers.note(getattr(connection, "auth_core_run", ""))
            return answer

    return Client


def shared_cache(url: str, *, serves: StrEnum | None = None) -> SharedCache | None:
    """Return the cache at *url*, one per process; ``None`` when *url* is empty.

    Args:
        serves: The control that works only in part while the cache is lost, of which the trail is told.
    """
    if not url:
        return None
    cache = _cache_of_process(url, os.getpid())
    if serves is not None and serves not in cache.serves:
        # Replaced, not changed: another thread may be going through it.
        cache.serves = cache.serves | {serves}
    return cache


@lru_cache(maxsize=8)
def _cache_of_process(url: str, process: int) -> SharedCache:
    """A connection that a fork shared would mix up the answers of two processes."""
    return SharedCache(url)


def _name(key: str) -> str:
    return f"{core.REDIS_PREFIX}:{key}"


def _milliseconds(duration: timedelta) -> int:
    return max(1, int(duration.total_seconds() * 1000))
