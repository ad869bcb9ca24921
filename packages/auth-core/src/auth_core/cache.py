"""The shared cache: a Redis that may be lost at any moment, and that is never the truth.

This is the one module of the extra ``redis``. A value is read with a *lease* when it is
missing, and written back only under that lease: whoever reads slowly cannot put back
what was forgotten meanwhile.
"""

import logging
import os
import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

from auth_core.breaker import Breaker, BreakerOpen, State
from auth_core.conf import core

try:
    import redis
except ImportError:  # pragma: no cover - the extra is not installed, and REDIS_URL is empty
    redis = None  # type: ignore[assignment]  # asked for below

logger = logging.getLogger("auth_core.cache")

#: How long a reader may take to bring a value from the database.
_LEASE = timedelta(seconds=2)

#: Set before a nonce, so that a lease is never taken for a value.
_LEASE_MARK = b"\x00lease:"

_LOOKUP = """
local found = redis.call('GET', KEYS[1])
if not found then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return ARGV[1]
end
return found
"""

_FILL = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""


class CacheLost(Exception):
    """The cache does not answer, or was given up for the moment; ask the database."""


class SharedCache:
    """One Redis, by its URL; values are bytes.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
    """

    def __init__(self, url: str) -> None:
        seconds = core.REDIS_TIMEOUT.total_seconds()
        self._redis = redis.Redis.from_url(
            url, socket_timeout=seconds, socket_connect_timeout=seconds, health_check_interval=0, retry=None
        )
        self._breaker = Breaker("redis")
        self._lookup = self._redis.register_script(_LOOKUP)
        self._fill = self._redis.register_script(_FILL)
        #: Commands sent so far; for tests that count them.
        self.round_trips = 0

    def lookup(self, key: str) -> tuple[bytes | None, bytes | None]:
        """Return the value of *key*, or a lease to fill it; neither while another reader holds the lease.

        Raises:
            CacheLost: see there.
        """
        lease = _LEASE_MARK + secrets.token_bytes(16)
        found = self._ask(lambda: self._lookup(keys=[_name(key)], args=[lease, _milliseconds(_LEASE)]))
        if found == lease:
            return None, lease
        return (None, None) if found.startswith(_LEASE_MARK) else (found, None)

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
            raise CacheLost from error
        except redis.RedisError as error:
            # Once, when the breaker opens: not for every probe of a long night.
            if was_closed and self._breaker.state is not State.CLOSED:
                logger.warning(
                    "The shared cache is lost; the database answers.", extra={"problem": type(error).__name__}
                )
            raise CacheLost from error
        if not was_closed and self._breaker.state is State.CLOSED:
            logger.info("The shared cache answers again.")
        return answer


def shared_cache(url: str) -> SharedCache | None:
    """Return the cache at *url*, one per process; ``None`` when *url* is empty."""
    return _cache_of_process(url, os.getpid()) if url else None


@lru_cache(maxsize=8)
def _cache_of_process(url: str, process: int) -> SharedCache:
    """A connection that a fork shared would mix up the answers of two processes."""
    return SharedCache(url)


def _name(key: str) -> str:
    return f"{core.REDIS_PREFIX}:{key}"


def _milliseconds(duration: timedelta) -> int:
    return max(1, int(duration.total_seconds() * 1000))
