"""A child process for one mutation, with limits on its time."""

import os
import resource
import signal
import time
from collections.abc import Callable

from mutants.job import Verdict

#: Exit statuses of a child. A signal means that the mutation ended the process, so it is killed.
SURVIVED, KILLED, UNDECIDED = 0, 1, 3


def verdict_of(run: Callable[[], int], *, processor_seconds: float) -> Verdict:
    """Run *run* in a child and return what its exit status says.

    Args:
        run: Returns the exit status. Its output is discarded.
        processor_seconds: After this time the mutation has timed out. A loop without an end reaches it soon, even if
            other programs slow the machine down. A child that waits may take ten times as long.
    """
    child = os.fork()
    if child == 0:
        _end_with(run, int(processor_seconds) + 1)
    status = _wait(child, processor_seconds * 10)
    _end_group(child)
    if status is None or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
        return Verdict.TIMED_OUT
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == SURVIVED:
        return Verdict.SURVIVED
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != KILLED:
        return Verdict.UNDECIDED
    return Verdict.KILLED


def _end_with(run: Callable[[], int], processor_seconds: int) -> None:
    """End this child with the status of *run*, without what would run at the end of the parent."""
    status = UNDECIDED
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (processor_seconds, processor_seconds + 5))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        status = run()
    finally:
        os._exit(status)


def _wait(child: int, seconds: float) -> int | None:
    """Return the wait status of *child*, or ``None`` if it has not ended after *seconds*."""
    deadline = time.monotonic() + seconds
    pause = 0.005
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    _end_group(child)
    os.waitpid(child, 0)
    return None


def _end_group(child: int) -> None:
    """End what *child* has left running, such as a server of a test."""
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        return
