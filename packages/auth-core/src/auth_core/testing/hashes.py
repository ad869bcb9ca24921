"""A process in which no hash slot is free."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from auth_core.passwords.hash_slots import hash_slot

#: The longest wait for the other thread before the test fails, in seconds.
_TIMEOUT = 20


@contextmanager
def hashing_elsewhere() -> Iterator[Callable[[], None]]:
    """Occupy a hash slot in another thread during the block, or until the yielded function is called.

    With ``MAX_PARALLEL_HASHES = 1`` and ``HASH_WAIT = 0`` every other hash is refused meanwhile.

    Raises:
        TimeoutError: the thread got no slot.
    """
    occupied, release = threading.Event(), threading.Event()

    def hold() -> None:
        with hash_slot():
            occupied.set()
            release.wait(_TIMEOUT)

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(hold)
        if not occupied.wait(_TIMEOUT):
            raise TimeoutError
        try:
            yield release.set
        finally:
            release.set()
            holder.result(_TIMEOUT)
