"""Threads of low priority that hash passwords, so that other requests get a processor first.

A hash keeps a processor core busy for 10 to 20 ms and releases the interpreter lock meanwhile. In a thread of its own it
can have a lower priority than the requests of signed-in people, who need a processor for a fraction of a millisecond
(decision record 0043). Linux has a priority for each thread. Elsewhere the caller hashes.
"""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import TypeVar

from auth_core.conf import core

T = TypeVar("T")

#: Whether each thread has a priority of its own.
HAS_PRIORITIES = sys.platform.startswith("linux")


def run(job: Callable[[], T]) -> T:
    """Run *job*, which hashes, and return its result or raise its exception.

    In a thread of low priority if ``AUTH_CORE["HASH_NICENESS"]`` is set. The caller has a hash slot and waits.
    """
    niceness, slots = core.HASH_NICENESS, core.MAX_PARALLEL_HASHES
    if not niceness or slots is None or not HAS_PRIORITIES:
        return job()
    return _pool(os.getpid(), slots, niceness).submit(job).result()


@lru_cache(maxsize=4)
def _pool(process: int, slots: int, niceness: int) -> ThreadPoolExecutor:
    """Return the threads of a process, one for each slot. A fork does not copy threads."""
    lower = partial(_lower_priority, niceness)
    return ThreadPoolExecutor(slots, thread_name_prefix="hash", initializer=lower)


def _lower_priority(niceness: int) -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
