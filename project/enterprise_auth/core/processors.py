"""The processors that this process may use."""

import math
import os

from enterprise_auth.env import Environment


def share(env: Environment) -> int:
    """Return how many processors each of ``WEB_WORKERS`` has for itself, at least one."""
    return max(1, math.ceil(available() / env.number("WEB_WORKERS")))


def available() -> int:
    """Return the number of processors that this process may run on, which a container may limit."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
