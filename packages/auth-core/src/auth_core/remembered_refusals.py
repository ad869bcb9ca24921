"""Refusals of guesses, remembered for a moment outside the database, so that a flood costs no query.

Only refusals: whoever loses, flushes or fills the cache opens no budget (decision record 0002).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from auth_core.conf import core
from auth_core.runtime.degradation import Control
from auth_core.runtime.redis_cache import CacheLost, SharedCache, shared_cache

#: How long a refusal is remembered. Short, because a refund that another request makes meanwhile may come too
#: early to be seen.
_REMEMBERED = timedelta(seconds=5)


def wait(keys: Sequence[str], now: datetime) -> timedelta | None:
    """Return how long the cache says to wait; ``None``: it knows nothing, and the database decides."""
    cache = _cache()
    if cache is None:
        return None
    try:
        found = cache.get_many([_refusal_key(key) for key in keys])
    except CacheLost:
        return None
    ends = [_end(value) for value in found if value]
    return max((end - now for end in ends if end is not None and end > now), default=None)


def remember(ends: Mapping[str, datetime], now: datetime) -> None:
    """Remember under each key until when it is refused, for five seconds at most."""
    cache = _cache()
    if cache is None:
        return
    try:
        for key, ends_at in ends.items():
            ttl = min(_REMEMBERED, ends_at - now)
            cache.put(_refusal_key(key), b"%.6f" % ends_at.timestamp(), ttl=ttl)
    except CacheLost:
        return


def forget(keys: Sequence[str]) -> None:
    """Forget what is remembered under *keys*: something was given back."""
    cache = _cache()
    if cache is None:
        return
    try:
        cache.forget(*(_refusal_key(key) for key in keys))
    except CacheLost:
        return


def _end(value: bytes) -> datetime | None:
    """Return when a remembered refusal ends; what nobody of us wrote is no refusal, and no error of the caller's."""
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _refusal_key(key: str) -> str:
    return f"refused:{key}"


def _cache() -> SharedCache | None:
    return shared_cache(core.REDIS_URL, serves=Control.LIMITER)
