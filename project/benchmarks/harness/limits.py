"""The limit of a login: how many passwords this machine hashes in a second, with nothing else to do."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher

from harness.cells import PASSWORD
from harness.figures import percentile
from harness.load import LoadResult

#: argon2id at the default cost of the product.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def hash_ceiling(seconds: float) -> LoadResult:
    """Verify a password on every processor at once. argon2 releases the GIL, so threads are enough."""
    encoded = _HASHER.hash(PASSWORD)
    began = time.perf_counter()

    def verify_until_the_end(_thread: int) -> list[float]:
        times = []
        while (before := time.perf_counter()) < began + seconds:
            _HASHER.verify(encoded, PASSWORD)
            times.append((time.perf_counter() - before) * 1e3)
        return times

    processors = os.cpu_count() or 1
    with ThreadPoolExecutor(processors) as pool:
        times = [each for part in pool.map(verify_until_the_end, range(processors)) for each in part]
    ended = time.perf_counter() - began
    return LoadResult(len(times), 0, ended, *(percentile(times, share) for share in (0.50, 0.95, 0.99)))
