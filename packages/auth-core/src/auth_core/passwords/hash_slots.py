"""Limit how many passwords one process hashes at a time. The next one is refused with 503.

A hash keeps its thread busy for 10 to 20 ms. A flood of logins would occupy every thread, and signed-in people would
wait behind it (ASVS 15.2.2, decision record 0018).
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connections

from auth_core.conf import core
from auth_core.errors import Unavailable

#: Value of ``Retry-After``. Many hashes finish in that time.
RETRY_AFTER = timedelta(seconds=1)


class _Slots:
    """The slots in use in this process. The limit is read from the settings on each call."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._in_use = 0

    def acquire(self, limit: int, wait: timedelta) -> bool:
        with self._condition:
            is_free = self._condition.wait_for(lambda: self._in_use < limit, timeout=wait.total_seconds())
            self._in_use += is_free
            return is_free

    def is_full(self, limit: int) -> bool:
        return self._in_use >= limit

    def release(self) -> None:
        with self._condition:
            self._in_use -= 1
            self._condition.notify()


class _ThreadState(threading.local):
    """The state of this thread. A thread with a slot may hash any number of passwords."""

    has_slot = False


_slots = _Slots()
_thread_state = _ThreadState()


@contextmanager
def hash_slot() -> Iterator[None]:
    """Hold a hash slot for the block. A thread that already has one continues with it.

    The call does not wait inside a transaction, because others would wait for its locks. It does not wait in an event
    loop either, because the loop would stand still.

    Raises:
        Unavailable: every slot is in use. The block does not run.
    """
    limit = core.MAX_PARALLEL_HASHES
    if limit is None or _thread_state.has_slot:
        yield
        return
    if not _slots.acquire(limit, timedelta(0) if _must_not_wait() else core.HASH_WAIT):
        raise Unavailable(retry_after=RETRY_AFTER)
    _thread_state.has_slot = True
    try:
        yield
    finally:
        _thread_state.has_slot = False
        _slots.release()


def refuse_when_full() -> None:
    """Refuse early if every slot is in use and waiting is off. A flood then costs no query.

    This only checks. The caller still takes a slot later and may find none.

    Raises:
        Unavailable: every slot is in use.
    """
    limit = core.MAX_PARALLEL_HASHES
    if limit is not None and not core.HASH_WAIT and not _thread_state.has_slot and _slots.is_full(limit):
        raise Unavailable(retry_after=RETRY_AFTER)


def _must_not_wait() -> bool:
    return _is_in_event_loop() or any(
        connection.in_atomic_block for connection in connections.all(initialized_only=True)
    )


def _is_in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
