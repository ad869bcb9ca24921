"""A lane: a fixed number of threads that take jobs one after another."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

Job = Callable[[], None]


class Lane:
    """Threads of the same work. They start with the first job, so that a fork copies none.

    Args:
        threads: How many jobs run at once.
        name: How the threads are called.
    """

    def __init__(self, threads: int, name: str) -> None:
        self._threads = threads
        self._name = name
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._started = False

    def run(self, job: Job) -> None:
        """Have the next free thread run *job*, which must not raise. Called from the event loop alone."""
        if not self._started:
            self._started = True
            for number in range(self._threads):
                threading.Thread(target=self._work, name=f"{self._name}-{number}", daemon=True).start()
        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            self._jobs.get()()
