"""A lane: a fixed number of threads that run jobs from a queue."""

import threading
from collections.abc import Callable
from contextvars import copy_context
from queue import SimpleQueue

Job = Callable[[], None]


class Lane:
    """Threads that run jobs. They start with the first job, because a fork does not copy threads.

    Args:
        threads: Maximum number of jobs that run at once.
        name: Prefix of the names of the threads.
    """

    def __init__(self, threads: int, name: str) -> None:
        self._threads = threads
        self._name = name
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._started = False

    def run(self, job: Job) -> None:
        """Run *job*, which must not raise, in the next free thread. Call it only from the event loop."""
        if not self._started:
            self._started = True
            for number in range(self._threads):
                threading.Thread(target=self._work, name=f"{self._name}-{number}", daemon=True).start()
        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            # A copy for each job: what a request leaves in the context of its thread must not reach the next request.
            copy_context().run(self._jobs.get())
