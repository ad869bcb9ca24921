"""The shared cache: a Redis that may be lost at any moment. The database is always authoritative.

This is the only module of the extra ``redis``. A missing value is read with a *lease* and written back only under that
lease. A slow reader therefore cannot restore a value that was removed in the meantime.
"""

import logging
import os
import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

from auth_core.conf import core
from auth_core.runtime import degradation
from auth_core.runtime.circuit_breaker import Breaker, BreakerOpen, State
from auth_core.runtime.redis_connection import Script, ThreadConnections

try:
    import redis
except ImportError:  # pragma: no cover - the extra is not installed, and REDIS_URL is empty
    redis = None  # type: ignore[assignment]  # checked below

logger = logging.getLogger("auth_core.runtime.redis_cache")

#: How long a reader may take to read a value from the database.
_LEASE = timedelta(seconds=2)

#: Prefix of a lease, which distinguishes it from a value.
_LEASE_MARK = b"\x00lease:"

#: How long a mark is kept after the span of its value. An early removal would end a session as idle.
_MARK_RETENTION = timedelta(minutes=2)

# A value of another epoch does not count. The mark only moves forward, and only within its span: the request that finds
# a session idle for too long must not revive it.
_LOOKUP = Script("""
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
""")

_FILL = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
""")

#: The line of ``INFO`` of a master.
_MASTER = b"role:master"


class Found(NamedTuple):
    """The result of one lookup.

    Args:
        value: The cached value.
        lease: The right to fill a missing value. ``None`` while another reader has it.
        mark: The moment stored beside the value, in Unix milliseconds, as it was before this lookup.
    """

    value: bytes | None
    lease: bytes | None
    mark: int | None


class Server(NamedTuple):
    """One run of one Redis process. A restart, a failover and a replica are other runs."""

    run: str
    is_master: bool


class CacheLost(Exception):
    """The cache does not answer or is suspended. Ask the database."""


class SharedCache:
    """One Redis, by its URL. Values are bytes.

    Args:
        url: See `auth_core.runtime.redis_urls`.
    """

    def __init__(self, url: str) -> None:
        self._redis = ThreadConnections(url, timeout=core.REDIS_TIMEOUT.total_seconds())
        self._breaker = Breaker("redis")
        #: The first part of every lease of this process. Leases are compared, and need not be secret.
        self._lease_start = _LEASE_MARK + secrets.token_bytes(12)
        self._leases = count()
        #: The controls that are degraded without this cache. See `shared_cache`.
        self.serves: set[StrEnum] = set()
        #: Number of commands sent, for tests.
        self.round_trips = 0

    @property
    def answered_by(self) -> str:
        """The run id of the Redis that answered this thread last. Empty before the first answer."""
        return self._redis.run_here

    @property
    def last_run(self) -> str:
        """The run id of the Redis that answered any thread of this process last."""
        return self._redis.last_run

    def server(self) -> Server:
        """Return the server that answers now.

        Raises:
            CacheLost: no server answers.
        """
        info: bytes = self._run(lambda: self._redis.execute("INFO", "replication"))
        return Server(self.answered_by, is_master=_MASTER in info.splitlines())

    def lookup(self, key: str, *, under: bytes = b"", mark: str = "", at: int | None = None) -> Found:
        """Return the value of *key*, or a lease to fill it. Neither while another reader holds the lease.

        Args:
            under: The required prefix of a valid value, such as an epoch.
            mark: Key of a moment that is stored beside the value. Empty for none.
            at: Moves the mark to this moment, in Unix milliseconds. Requires that the value after *under* begins with
                ``<span in milliseconds>|`` and that the mark is not older than the span.

        Raises:
            CacheLost: see there.
        """
        lease = self._lease_start + next(self._leases).to_bytes(8)
        keys = [_name(key), _name(mark)] if mark else [_name(key)]
        new_mark = "" if at is None or not mark else at
        arguments = [lease, _milliseconds(_LEASE), under, new_mark, _LEASE_MARK, _milliseconds(_MARK_RETENTION)]
        value, old_mark = self._run(lambda: self._redis.run_script(_LOOKUP, keys=keys, args=arguments))
        moment = int(old_mark) if old_mark and old_mark.isdigit() else None
        if value == lease:
            return Found(None, lease, moment)
        return Found(None if value.startswith(_LEASE_MARK) else value, None, moment)

    def fill(self, key: str, lease: bytes, value: bytes, *, ttl: timedelta) -> bool:
        """Write *value* if *lease* is still valid. Return whether it was.

        `forget` removes the lease. A reader who read the database before a change and returns after it therefore writes
        nothing, however slow it was.

        Raises:
            CacheLost: see there.
        """
        arguments = [lease, value, _milliseconds(ttl)]
        return bool(self._run(lambda: self._redis.run_script(_FILL, keys=[_name(key)], args=arguments)))

    def forget(self, *keys: str) -> None:
        """Remove values and leases.

        Raises:
            CacheLost: the values may still be there.
        """
        if keys:
            self._run(lambda: self._redis.execute("DEL", *map(_name, keys)))

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values of *keys*, in their order.

        Raises:
            CacheLost: see there.
        """
        values: list[bytes | None] = self._run(lambda: self._redis.execute("MGET", *map(_name, keys)))
        return values

    def put(self, key: str, value: bytes, *, ttl: timedelta) -> None:
        """Write *value*, replacing any other.

        Raises:
            CacheLost: see there.
        """
        self._run(lambda: self._redis.execute("SET", _name(key), value, "PX", _milliseconds(ttl)))

    def ping(self) -> None:
        """Check that the server answers.

        Raises:
            CacheLost: it does not.
        """
        self._run(lambda: self._redis.execute("PING"))

    def _run(self, command: Callable[[], Any]) -> Any:
        self.round_trips += 1
        was_closed = self._breaker.state is State.CLOSED
        try:
            result = self._breaker.call(command)
        except BreakerOpen as error:
            self._degrade(error)
            raise CacheLost from error
        except redis.RedisError as error:
            # Logged once, when the breaker opens, not for every probe.
            if was_closed and self._breaker.state is not State.CLOSED:
                logger.warning(
                    "The shared cache is unavailable (%s). The database is used instead.",
                    type(error).__name__,
                    extra={"problem": type(error).__name__},
                )
            if self._breaker.state is not State.CLOSED:
                self._degrade(error)
            raise CacheLost from error
        if not was_closed and self._breaker.state is State.CLOSED:
            logger.info("The shared cache is available again.")
        for control in self.serves:
            degradation.report_restored(control)
        return result

    def _degrade(self, error: Exception) -> None:
        for control in self.serves:
            degradation.report_degraded(control, reason=type(error).__name__)


def shared_cache(url: str, *, serves: StrEnum | None = None) -> SharedCache | None:
    """Return the cache at *url*, one per process. ``None`` if *url* is empty.

    Args:
        serves: The control to report as degraded while the cache is lost.
    """
    if not url:
        return None
    cache = _cache_of_process(url, os.getpid())
    if serves is not None and serves not in cache.serves:
        # Replaced, not changed, because another thread may be iterating over it.
        cache.serves = cache.serves | {serves}
    return cache


@lru_cache(maxsize=8)
def _cache_of_process(url: str, process: int) -> SharedCache:
    """Return the cache of this process. Sharing a connection after a fork would mix up responses."""
    return SharedCache(url)


def _name(key: str) -> str:
    return f"{core.REDIS_PREFIX}:{key}"


def _milliseconds(duration: timedelta) -> int:
    return max(1, int(duration.total_seconds() * 1000))
