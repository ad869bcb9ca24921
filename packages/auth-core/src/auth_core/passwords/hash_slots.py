"""Places for password hashes: so many at once in one process, and one more is refused.

A hash keeps its thread busy for 10 to 20 ms; a flood of logins would take every thread there
is, and whoever is signed in would wait behind it (ASVS 15.2.2, decision record 0018).
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connections

from auth_core.conf import core
from auth_core.errors import Unavailable

#: When a refused caller may come again: many hashes are over by then.
RETRY_AFTER = timedelta(seconds=1)


class _Places:
    """How many are taken in this process; the number there are is asked each time."""

    def __init__(self) -> None:
        self._left = threading.Condition()
        self._taken = 0

    def take(self, most: int, wait: timedelta) -> bool:
        with self._left:
            is_free = self._left.wait_for(lambda: self._taken < most, timeout=wait.total_seconds())
            self._taken += is_free
            return is_free

    def is_full(self, most: int) -> bool:
        return self._taken >= most

    def leave(self) -> None:
        with self._left:
            self._taken -= 1
            self._left.notify()


class _Thread(threading.local):
    """What this thread has: whoever has a place hashes as often as they must."""

    has_place = False


_places = _Places()
_thread = _Thread()


@contextmanager
def hash_slot() -> Iterator[None]:
    """Take the place of one hash for the block; whoever has one already goes on with it.

    Nobody waits inside a transaction, whose locks everybody else would wait for, nor in an event loop,
    which would stand still.

    Raises:
        Unavailable: every place is taken; the block is not run.
    """
    most = core.MAX_PARALLEL_HASHES
    if most is None or _thread.has_place:
        yield
        return
    if not _places.take(most, timedelta(0) if _holds_others_up() else core.HASH_WAIT):
        raise Unavailable(retry_after=RETRY_AFTER)
    _thread.has_place = True
    try:
        yield
    finally:
        _thread.has_place = False
        _places.leave()


def refuse_when_full() -> None:
    """Refuse before anything is paid for, where there is no place and nobody waits: a flood then costs no statement.

    Only a look: who passes takes a place all the same, and may find none.

    Raises:
        Unavailable: every place is taken at this moment.
    """
    most = core.MAX_PARALLEL_HASHES
    if most is not None and not core.HASH_WAIT and not _thread.has_place and _places.is_full(most):
        raise Unavailable(retry_after=RETRY_AFTER)


def _holds_others_up() -> bool:
    return _is_in_event_loop() or any(
        connection.in_atomic_block for connection in connections.all(initialized_only=True)
    )


def _is_in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
