"""Identifiers of rows: UUIDs that sort by the time they were made."""

import secrets
import threading
import time
from datetime import UTC, datetime
from uuid import UUID

_lock = threading.Lock()

#: A clock that is set back by more than ten seconds is believed: rows must not be dated in the future for as long.
_BELIEVED = 10_000 << 12

_last = 0


def uuid7() -> UUID:
    """Return a UUIDv7, greater than every one this process made before, unless the clock was set back far.

    The 12 bits after the milliseconds are a fraction of the millisecond, raised
    by one when two calls meet in the same fraction, so that rows made in one
    transaction sort in the order in which they were made. An identifier is not a
    secret (ASVS 11.5.1): 62 random bits only keep two processes apart.

    Source: RFC 9562 section 5.7, method 3 of section 6.2. The standard library
    has this from Python 3.14 on.
    """
    global _last  # noqa: PLW0603 - one counter per process is the point
    with _lock:
        nanoseconds = time.time_ns()
        now = (nanoseconds // 1_000_000 << 12) | (nanoseconds % 1_000_000 * 4096 // 1_000_000)
        _last = ticks = now if _last - now > _BELIEVED else max(now, _last + 1)
    return _compose(milliseconds=ticks >> 12, fraction=ticks & 0xFFF, tail=secrets.randbits(62))


def first_uuid7_at(moment: datetime) -> UUID:
    """Return the smallest UUIDv7 that can be made at *moment*: a bound for a range of time."""
    milliseconds = int(moment.astimezone(UTC).timestamp() * 1000)
    return _compose(milliseconds=milliseconds, fraction=0, tail=0)


def moment_of(identifier: UUID) -> datetime:
    """Return when *identifier* was made, to the millisecond, in UTC."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, tz=UTC)


def _compose(*, milliseconds: int, fraction: int, tail: int) -> UUID:
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | tail)
