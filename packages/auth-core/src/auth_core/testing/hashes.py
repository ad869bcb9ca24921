"""A process in which too much is hashed: `auth_core.passwords.hash_slots` without a place."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from auth_core.passwords.hash_slots import hash_slot

#: How long is waited for another thread before the test fails, in seconds.
_PATIENCE = 20


@contextmanager
def hashing_elsewhere() -> Iterator[Callable[[], None]]:
    """Let another thread have one place for the block, or until it is told to leave.

    With ``MAX_PARALLEL_HASHES`` at 1 and ``HASH_WAIT`` at 0 all others are refused meanwhile.

    Raises:
        TimeoutError: there was no place for that thread, either.
    """
    taken, over = threading.Event(), threading.Event()

    def hold() -> None:
        with hash_slot():
            taken.set()
            over.wait(_PATIENCE)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(hold)
        if not taken.wait(_PATIENCE):
            raise TimeoutError
        try:
            yield over.set
        finally:
            over.set()
            held.result(_PATIENCE)
