"""Short-lived cache of refused guesses, outside the database, so that a flood costs no query.

Only refusals are cached. A lost, flushed or full cache therefore opens no budget (decision record 0002).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from auth_core.conf import core
from auth_core.runtime.degradation import Control
from auth_core.runtime.redis_cache import CacheLost, SharedCache, shared_cache

#: How long a refusal is cached. Short, because the refund of another request may arrive before the refusal is stored.
_LIFETIME = timedelta(seconds=5)


def remaining_wait(keys: Sequence[str], now: datetime) -> timedelta | None:
    """Return how long a cached refusal lasts. ``None`` if none is cached, and the database decides."""
    cache = _cache()
    if cache is None:
        return None
    try:
        values = cache.get_many([_refusal_key(key) for key in keys])
    except CacheLost:
        return None
    ends = [_end(value) for value in values if value]
    return max((end - now for end in ends if end is not None and end > now), default=None)


def remember(ends: Mapping[str, datetime], now: datetime) -> None:
    """Store when the refusal under each key ends, for five seconds at most."""
    cache = _cache()
    if cache is None:
        return
    try:
        for key, ends_at in ends.items():
            ttl = min(_LIFETIME, ends_at - now)
            cache.put(_refusal_key(key), b"%.6f" % ends_at.timestamp(), ttl=ttl)
    except CacheLost:
        return


def forget(keys: Sequence[str]) -> None:
    """Remove the refusals under *keys*, after a refund."""
    cache = _cache()
    if cache is None:
        return
    try:
        cache.forget(*(_refusal_key(key) for key in keys))
    except CacheLost:
        return


def _end(value: bytes) -> datetime | None:
    """Return when a cached refusal ends. A value that this module did not write is ignored."""
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _refusal_key(key: str) -> str:
    return f"refused:{key}"


def _cache() -> SharedCache | None:
    return shared_cache(core.REDIS_URL, serves=Control.LIMITER)
