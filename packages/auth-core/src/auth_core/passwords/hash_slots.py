"""Limit how many passwords one process hashes at a time. Others wait in a queue. Beyond it they are refused with 503.

A hash keeps its thread busy for 10 to 20 ms. A flood of logins would occupy every thread, and signed-in people would
wait behind it (ASVS 15.2.2, decision records 0018 and 0043). The queue is first in, first out, and bounded, because
every request in it keeps its thread.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connections

from auth_core.conf import core
from auth_core.errors import Unavailable

#: Value of ``Retry-After``. Many hashes finish in that time.
RETRY_AFTER = timedelta(seconds=1)

_NO_WAIT = timedelta(0)


class _Slots:
    """The slots in use in this process, and the threads that wait for one. The limits are read on each call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_use = 0
        self._waiting: deque[threading.Event] = deque()
        self._refused = 0

    def acquire(self, limit: int, *, queue: int | None, wait: timedelta) -> bool:
        """Take a slot, if necessary after waiting. Return whether there was one.

        Args:
            limit: Number of slots.
            queue: Maximum number of waiting threads. ``None``: this thread waits in any case.
            wait: Maximum time of waiting.
        """
        with self._lock:
            if self._in_use < limit and not self._waiting:
                self._in_use += 1
                return True
            if not wait or (queue is not None and len(self._waiting) >= queue):
                self._refused += 1
                return False
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait(wait.total_seconds())
        with self._lock:
            # The slot may have been handed over after the time was up.
            if turn.is_set():
                return True
            self._waiting.remove(turn)
            self._refused += 1
            return False

    def release(self) -> None:
        """Hand the slot over to the thread that has waited longest, or free it."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._in_use -= 1

    def is_full(self, limit: int, queue: int) -> bool:
        return self._in_use >= limit and len(self._waiting) >= queue

    def metrics(self) -> dict[str, int]:
        with self._lock:
            return {"in_use": self._in_use, "waiting": len(self._waiting), "refused_total": self._refused}


class _ThreadState(threading.local):
    """The state of this thread. A thread with a slot may hash any number of passwords."""

    has_slot = False
    is_dedicated = False


_slots = _Slots()
_thread_state = _ThreadState()


@contextmanager
def hash_slot() -> Iterator[None]:
    """Hold a hash slot for the block. A thread that already has one continues with it.

    The call does not wait inside a transaction, because others would wait for its locks. It does not wait in an event
    loop either, because the loop would stand still.

    Raises:
        Unavailable: every slot is in use, and the queue is full or its time is up. The block does not run.
    """
    limit = core.MAX_PARALLEL_HASHES
    if limit is None or _thread_state.has_slot:
        yield
        return
    queue = None if _thread_state.is_dedicated else core.HASH_QUEUE
    if not _slots.acquire(limit, queue=queue, wait=_NO_WAIT if _must_not_wait() else core.HASH_WAIT):
        raise Unavailable(retry_after=RETRY_AFTER)
    _thread_state.has_slot = True
    try:
        yield
    finally:
        _thread_state.has_slot = False
        _slots.release()


def refuse_when_full() -> None:
    """Refuse early if a hash would find no slot and no room in the queue. A flood then costs no query.

    This only checks. The caller still takes a slot later and may find none.

    Raises:
        Unavailable: every slot is in use, and the queue is full.
    """
    limit = core.MAX_PARALLEL_HASHES
    if limit is None or _thread_state.has_slot or _thread_state.is_dedicated:
        return
    if _slots.is_full(limit, core.HASH_QUEUE if core.HASH_WAIT else 0):
        raise Unavailable(retry_after=RETRY_AFTER)


def dedicate_thread() -> None:
    """Let this thread wait for a slot even if the queue is full.

    For a server that gives logins threads of their own, with a bounded queue before them. Such a thread keeps no other
    request waiting.
    """
    _thread_state.is_dedicated = True


def metrics() -> dict[str, int]:
    """Return the slots in use, the waiting threads and the refusals of this process, for a metrics page."""
    return _slots.metrics()


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
