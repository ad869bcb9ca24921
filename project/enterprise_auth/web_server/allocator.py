"""The memory that the allocator of the C library keeps after password hashes.

A hash needs 19 MiB for a moment. glibc gives each thread an arena of its own, and each arena keeps the memory of its
largest hash: 19 MiB for each thread of a worker, for as long as it lives.
"""

import ctypes

#: ``M_ARENA_MAX`` of ``mallopt`` in glibc.
_ARENA_MAX = -8


def use_one_arena() -> bool:
    """Make all threads share one arena, whose memory the next hash uses again. Call it before other threads start.

    Python's own objects do not come from the arenas, so threads do not wait for each other there.

    Returns:
        Whether the C library has the option. On others than glibc nothing changes.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_ARENA_MAX, 1))
    except (AttributeError, OSError):
        return False
