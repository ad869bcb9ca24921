"""Identifiers of rows: UUIDs that sort by creation time."""

import secrets
import threading
import time
from datetime import UTC, datetime
from uuid import UUID

_lock = threading.Lock()

#: If the clock is set back by more than ten seconds, follow it. Otherwise rows would be dated in the future.
_LARGE_STEP = 10_000 << 12

_last = 0


def uuid7() -> UUID:
    """Return a UUIDv7, greater than every earlier one of this process, unless the clock was set back far.

    The 12 bits after the milliseconds are a fraction of the millisecond. If two calls
    fall into the same fraction, the second is raised by one, so that the rows of one
    transaction sort in creation order. An identifier is not a secret (ASVS 11.5.1).
    Its 62 random bits only distinguish processes.

    Source: RFC 9562 section 5.7, method 3 of section 6.2. The standard library
    has this from Python 3.14 on.
    """
    global _last  # noqa: PLW0603 - one counter per process is the point
    with _lock:
        nanoseconds = time.time_ns()
        now = (nanoseconds // 1_000_000 << 12) | (nanoseconds % 1_000_000 * 4096 // 1_000_000)
        _last = ticks = now if _last - now > _LARGE_STEP else max(now, _last + 1)
    return _compose(milliseconds=ticks >> 12, fraction=ticks & 0xFFF, tail=secrets.randbits(62))


def uuid7_beside(identifier: UUID) -> UUID:
    """Return another UUIDv7 of the same time as *identifier*, for a second row that belongs to it."""
    return UUID(int=identifier.int >> 62 << 62 | secrets.randbits(62))


def first_uuid7_at(moment: datetime) -> UUID:
    """Return the smallest UUIDv7 of *moment*, as a bound of a time range."""
    milliseconds = int(moment.astimezone(UTC).timestamp() * 1000)
    return _compose(milliseconds=milliseconds, fraction=0, tail=0)


def moment_of(identifier: UUID) -> datetime:
    """Return when *identifier* was created, to the millisecond, in UTC."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, tz=UTC)


def _compose(*, milliseconds: int, fraction: int, tail: int) -> UUID:
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | tail)
