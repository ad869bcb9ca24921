"""Processor time and memory of processes, from /proc."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")

#: The columns of /proc/stat that are use: user, nice, system, irq, softirq, steal. Guests are part of user.
_BUSY = (0, 1, 2, 5, 6, 7)


def busy_seconds() -> float:
    """Return the processor seconds that the whole machine has used since its start."""
    columns = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    return sum(int(columns[number]) for number in _BUSY) / _TICKS


def processor_seconds(root: int) -> float:
    """Return the processor seconds of a process and its descendants, with those of its children that ended."""
    total = 0
    for process in tree(root):
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))
    return total / _TICKS


def tree(root: int) -> Iterator[int]:
    """Yield the ids of a process and of its descendants."""
    waiting = [root]
    while waiting:
        process = waiting.pop()
        yield process
        with suppress(FileNotFoundError, ProcessLookupError):
            for children in Path(f"/proc/{process}").glob("task/*/children"):
                waiting += map(int, children.read_text().split())


def largest_worker(root: int) -> float:
    """Return the memory of the largest process below *root* in MiB: its proportional set size."""
    workers = [process for process in tree(root) if process != root] or [root]
    return max((_proportional(process) for process in workers), default=0.0)


def _proportional(process: int) -> float:
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0
